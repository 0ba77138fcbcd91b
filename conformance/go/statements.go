package main

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func ingest(ctx context.Context, sql *flightsql.Client, options *flightsql.ExecuteIngestOpts, values ...int64) (int64, error) {
	batch := integers(values...)
	defer batch.Release()
	reader, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch})
	if err != nil {
		return 0, err
	}
	defer reader.Release()
	return sql.ExecuteIngest(ctx, reader, options)
}

var create = flightsql.TableDefinitionOptions{
	IfNotExist: flightsql.TableDefinitionOptionsTableNotExistOptionCreate,
	IfExists:   flightsql.TableDefinitionOptionsTableExistsOptionAppend,
}

var statementChecks = []check{
	{"results of any size, under the limit of 4 MiB that the client has", func(ctx context.Context, sql *flightsql.Client) error {
		info, err := sql.Execute(ctx, "SELECT range AS i, repeat('x', 100000) AS s FROM range(500)")
		if err != nil {
			return err
		}
		_, rows, err := read(ctx, sql, info)
		if err != nil {
			return err
		}
		return expect(rows, 500, "rows")
	}},
	{"what changes something runs once by the query path", func(ctx context.Context, sql *flightsql.Client) error {
		if err := updates(ctx, sql, "CREATE TABLE go_once (i INTEGER)"); err != nil {
			return err
		}
		info, err := sql.Execute(ctx, "INSERT INTO go_once VALUES (1), (2)")
		if err != nil {
			return err
		}
		for range 2 {
			count, err := one(ctx, sql, info, nil)
			if err != nil {
				return err
			}
			if err := expect(count, "2", "told"); err != nil {
				return err
			}
		}
		count, err := query(ctx, sql, "SELECT count(*) FROM go_once")
		if err != nil {
			return err
		}
		if err := expect(count, "2", "rows"); err != nil {
			return err
		}
		return updates(ctx, sql, "DROP TABLE go_once")
	}},
	{"prepared statements with parameters, their schemas, and what they are", func(ctx context.Context, sql *flightsql.Client) error {
		prepared, err := sql.Prepare(ctx, "SELECT ?::BIGINT + 1 AS i")
		if err != nil {
			return err
		}
		if isUpdate, told := prepared.IsUpdate(); isUpdate || !told {
			return fmt.Errorf("is an update: %v, told: %v", isUpdate, told)
		}
		if err := expect(prepared.ParameterSchema().Field(0).Type, "int64", "parameter"); err != nil {
			return err
		}
		for value := range int64(3) {
			prepared.SetParameters(integers(value))
			info, err := prepared.Execute(ctx)
			found, err := one(ctx, sql, info, err)
			if err != nil {
				return err
			}
			if err := expect(found, value+1, "value"); err != nil {
				return err
			}
		}
		if err := prepared.Close(ctx); err != nil {
			return err
		}
		if err := updates(ctx, sql, "CREATE TABLE go_bound (i BIGINT)"); err != nil {
			return err
		}
		insert, err := sql.Prepare(ctx, "INSERT INTO go_bound VALUES (?)")
		if err != nil {
			return err
		}
		if isUpdate, told := insert.IsUpdate(); !isUpdate || !told {
			return fmt.Errorf("is an update: %v, told: %v", isUpdate, told)
		}
		insert.SetParameters(integers(1, 2, 3))
		count, err := insert.ExecuteUpdate(ctx)
		if err != nil {
			return err
		}
		if err := expect(count, 3, "inserted"); err != nil {
			return err
		}
		if err := insert.Close(ctx); err != nil {
			return err
		}
		return updates(ctx, sql, "DROP TABLE go_bound")
	}},
	{"transactions, with ingest and prepared statements in them; savepoints are refused", func(ctx context.Context, sql *flightsql.Client) error {
		for _, commit := range []bool{false, true} {
			txn, err := sql.BeginTransaction(ctx)
			if err != nil {
				return err
			}
			if _, err := txn.BeginSavepoint(ctx, "s"); status.Code(err) != codes.Unimplemented {
				return fmt.Errorf("a savepoint: %v", err)
			}
			rows, err := ingest(ctx, sql, &flightsql.ExecuteIngestOpts{
				Table: "go_txn", TableDefinitionOptions: &create, TransactionId: txn.ID(),
			}, 1, 2)
			if err != nil {
				return err
			}
			if err := expect(rows, 2, "taken"); err != nil {
				return err
			}
			prepared, err := txn.Prepare(ctx, "INSERT INTO go_txn VALUES (?)")
			if err != nil {
				return err
			}
			prepared.SetParameters(integers(3))
			if _, err := prepared.ExecuteUpdate(ctx); err != nil {
				return err
			}
			info, err := txn.Execute(ctx, "SELECT count(*) FROM go_txn")
			inside, err := one(ctx, sql, info, err)
			if err != nil {
				return err
			}
			if err := expect(inside, "3", "inside"); err != nil {
				return err
			}
			if _, err := sql.Execute(ctx, "FROM go_txn"); err == nil {
				return fmt.Errorf("seen from outside")
			}
			if commit {
				err = txn.Commit(ctx)
			} else {
				err = txn.Rollback(ctx)
			}
			if err != nil {
				return err
			}
			_, err = sql.Execute(ctx, "FROM go_txn")
			if (err == nil) != commit {
				return fmt.Errorf("commit %v, afterwards: %v", commit, err)
			}
		}
		return updates(ctx, sql, "DROP TABLE go_txn")
	}},
	{"ingest with each option, into a schema, and temporary", func(ctx context.Context, sql *flightsql.Client) error {
		if err := updates(ctx, sql, "CREATE SCHEMA go_in"); err != nil {
			return err
		}
		schema := "go_in"
		options := func(exists, missing flightsql.TableDefinitionOptions) *flightsql.ExecuteIngestOpts {
			return &flightsql.ExecuteIngestOpts{Table: "t", Schema: &schema, TableDefinitionOptions: &flightsql.TableDefinitionOptions{
				IfExists: exists.IfExists, IfNotExist: missing.IfNotExist,
			}}
		}
		fail := flightsql.TableDefinitionOptions{
			IfNotExist: flightsql.TableDefinitionOptionsTableNotExistOptionFail,
			IfExists:   flightsql.TableDefinitionOptionsTableExistsOptionFail,
		}
		replace := flightsql.TableDefinitionOptions{IfExists: flightsql.TableDefinitionOptionsTableExistsOptionReplace}
		if _, err := ingest(ctx, sql, options(create, fail), 1); err == nil {
			return fmt.Errorf("taken without a table")
		}
		for _, step := range []struct {
			options *flightsql.ExecuteIngestOpts
			rows    string
		}{{options(fail, create), "2"}, {options(create, fail), "4"}, {options(replace, create), "2"}} {
			if _, err := ingest(ctx, sql, step.options, 1, 2); err != nil {
				return err
			}
			rows, err := query(ctx, sql, "SELECT count(*) FROM go_in.t")
			if err != nil {
				return err
			}
			if err := expect(rows, step.rows, "rows"); err != nil {
				return err
			}
		}
		if _, err := ingest(ctx, sql, options(fail, create), 1); err == nil {
			return fmt.Errorf("taken although the table is there")
		}
		temporary := &flightsql.ExecuteIngestOpts{Table: "go_fleeting", Temporary: true, TableDefinitionOptions: &create}
		if _, err := ingest(ctx, sql, temporary, 1); err != nil {
			return err
		}
		if rows, err := query(ctx, sql, "SELECT count(*) FROM go_fleeting"); err != nil || rows != "1" {
			return fmt.Errorf("temporary: %v %v", rows, err)
		}
		other, err := connect()
		if err != nil {
			return err
		}
		defer other.Close()
		if _, err := other.Execute(ctx, "FROM go_fleeting"); err == nil {
			return fmt.Errorf("another client sees the temporary table")
		}
		return updates(ctx, sql, "DROP SCHEMA go_in CASCADE")
	}},
	{"errors have a code and the engine's text", func(ctx context.Context, sql *flightsql.Client) error {
		for text, code := range map[string]codes.Code{
			"SELEC 1":             codes.InvalidArgument,
			"FROM nowhere":        codes.NotFound,
			"SELECT 'x'::INTEGER": codes.InvalidArgument,
		} {
			info, err := sql.Execute(ctx, text)
			if err == nil {
				_, _, err = read(ctx, sql, info)
			}
			if status.Code(err) != code {
				return fmt.Errorf("%s: %v", text, err)
			}
		}
		return nil
	}},
}
