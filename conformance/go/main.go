// The Flight SQL client of arrow-go against a server: prints "ok NAME" or "failed NAME: why" for each check.
//
//	flight-sql-checks ADDRESS | --list
//	flight-sql-checks --secure (ADDRESS PLAINTEXT-PORT FOLDER-OF-CERTIFICATES | --list)
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

type check struct {
	name string
	run  func(ctx context.Context, sql *flightsql.Client) error
}

var address = os.Args[1]

func connect(middleware ...flight.ClientMiddleware) (*flightsql.Client, error) {
	return flightsql.NewClient(address, nil, middleware, grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// expect fails when the two do not print alike.
func expect(actual, expected any, what string) error {
	if fmt.Sprint(actual) == fmt.Sprint(expected) {
		return nil
	}
	return fmt.Errorf("%s: %v instead of %v", what, actual, expected)
}

// read fetches every endpoint: the rows, as Arrow prints them, and how many.
func read(ctx context.Context, sql *flightsql.Client, info *flight.FlightInfo) (columns []arrow.Array, rows int64, err error) {
	for _, endpoint := range info.Endpoint {
		reader, err := sql.DoGet(ctx, endpoint.Ticket)
		if err != nil {
			return nil, 0, err
		}
		for reader.Next() {
			batch := reader.RecordBatch()
			rows += batch.NumRows()
			for i := range batch.Columns() {
				batch.Column(i).Retain()
			}
			columns = append(columns, batch.Columns()...)
		}
		err = reader.Err()
		reader.Release()
		if err != nil {
			return nil, 0, err
		}
	}
	return columns, rows, nil
}

// one is the first value of the first column.
func one(ctx context.Context, sql *flightsql.Client, info *flight.FlightInfo, failed error) (string, error) {
	if failed != nil {
		return "", failed
	}
	columns, rows, err := read(ctx, sql, info)
	if err != nil {
		return "", err
	}
	if rows == 0 || len(columns) == 0 {
		return "", fmt.Errorf("no rows")
	}
	return columns[0].ValueStr(0), nil
}

func query(ctx context.Context, sql *flightsql.Client, text string) (string, error) {
	info, err := sql.Execute(ctx, text)
	return one(ctx, sql, info, err)
}

// first runs what may fail, and gives the first error.
func first(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func updates(ctx context.Context, sql *flightsql.Client, texts ...string) error {
	for _, text := range texts {
		if _, err := sql.ExecuteUpdate(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// integers is a batch of one column "i".
func integers(values ...int64) arrow.RecordBatch {
	schema := arrow.NewSchema([]arrow.Field{{Name: "i", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.Int64Builder).AppendValues(values, nil)
	return builder.NewRecordBatch()
}

func main() {
	checks := slices.Concat(pollChecks, sessionChecks, statementChecks, driverChecks)
	if address == "--secure" {
		address = os.Args[2]
		checks = secureChecks
	}
	for _, each := range checks {
		if address == "--list" {
			fmt.Println(each.name)
			continue
		}
		sql, err := connect()
		if err == nil {
			err = each.run(context.Background(), sql)
			sql.Close()
		}
		if err != nil {
			fmt.Printf("failed %s: %s\n", each.name, strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Printf("ok %s\n", each.name)
		}
	}
}
