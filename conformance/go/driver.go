package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/driver"
)

// driverChecks use arrow-go's driver for database/sql, by DSN.
var driverChecks = []check{
	{"database/sql, rows, NULL and types", withDatabase("", func(ctx context.Context, db *sql.DB) error {
		var (
			number int64
			text   string
			real   float64
			truth  bool
			bytes  []byte
			none   sql.NullString
			day    time.Time
		)
		row := db.QueryRowContext(ctx, `SELECT 9223372036854775807, 'häł', 1.5::DOUBLE, true, '\x01\xFF'::BLOB, NULL::VARCHAR, DATE '2024-02-29'`)
		if err := row.Scan(&number, &text, &real, &truth, &bytes, &none, &day); err != nil {
			return err
		}
		return expect([]any{number, text, real, truth, bytes, none.Valid, day.Format(time.DateOnly)},
			"[9223372036854775807 häł 1.5 true [1 255] false 2024-02-29]", "row")
	})},
	{"database/sql, many rows, and rows that are closed half-way", withDatabase("", func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, "SELECT range FROM range(300000)")
		if err != nil {
			return err
		}
		var sum, each int64
		for rows.Next() {
			if err := rows.Scan(&each); err != nil {
				return err
			}
			sum += each
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for range 5 {
			rows, err := db.QueryContext(ctx, "SELECT range FROM range(100000000)")
			if err != nil {
				return err
			}
			if !rows.Next() {
				return fmt.Errorf("no row: %w", rows.Err())
			}
			if err := rows.Close(); err != nil {
				return err
			}
		}
		return expect(sum, int64(44999850000), "sum")
	})},
	{"database/sql, arguments, once and prepared", withDatabase("", func(ctx context.Context, db *sql.DB) error {
		var sum int64
		var text string
		if err := db.QueryRowContext(ctx, "SELECT ?::BIGINT + 1, upper(?::VARCHAR)", 41, "x").Scan(&sum, &text); err != nil {
			return err
		}
		if err := expect([]any{sum, text}, "[42 X]", "once"); err != nil {
			return err
		}
		prepared, err := db.PrepareContext(ctx, "SELECT CAST($1 AS DOUBLE) * CAST($2 AS DOUBLE)")
		if err != nil {
			return err
		}
		defer prepared.Close()
		for i := range 50 {
			var product float64
			if err := prepared.QueryRowContext(ctx, float64(i), 0.5).Scan(&product); err != nil {
				return err
			}
			if err := expect(product, float64(i)/2, "prepared"); err != nil {
				return err
			}
		}
		if err := db.QueryRowContext(ctx, "SELECT ?::BIGINT", 1, 2).Scan(&sum); err == nil {
			return fmt.Errorf("too many arguments are not refused")
		}
		return nil
	})},
	{"database/sql, updates tell how many rows, and transactions", withDatabase("", func(ctx context.Context, db *sql.DB) error {
		if _, err := db.ExecContext(ctx, "CREATE OR REPLACE TABLE go_driver (i BIGINT PRIMARY KEY, s VARCHAR)"); err != nil {
			return err
		}
		result, err := db.ExecContext(ctx, "INSERT INTO go_driver SELECT range, 'r' || range FROM range(10)")
		if err != nil {
			return err
		}
		affected, err := result.RowsAffected()
		if err := errors.Join(err, expect(affected, 10, "rows")); err != nil {
			return err
		}
		for _, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO go_driver VALUES (?, ?)", 100, "in a transaction"); err != nil {
				return err
			}
			var inside int64
			if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM go_driver").Scan(&inside); err != nil {
				return err
			}
			if err := errors.Join(expect(inside, 11, "inside"), end(tx)); err != nil {
				return err
			}
		}
		var left int64
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM go_driver").Scan(&left); err != nil {
			return err
		}
		_, err = db.ExecContext(ctx, "INSERT INTO go_driver VALUES (100, 'twice')")
		if err == nil || !strings.Contains(err.Error(), "onstraint") {
			return fmt.Errorf("not refused as a constraint: %v", err)
		}
		_, err = db.ExecContext(ctx, "DROP TABLE go_driver")
		return errors.Join(err, expect(left, 11, "rows left"))
	})},
	{"database/sql, a context and a time-out end a statement", withDatabase("", func(ctx context.Context, db *sql.DB) error {
		const endless = "SELECT count(*) FROM range(1000000000000) a WHERE a.range % 7 = 3"
		short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		defer cancel()
		var count int64
		if err := db.QueryRowContext(short, endless).Scan(&count); err == nil {
			return fmt.Errorf("the context does not end it")
		}
		return expectOne(ctx, db)
	})},
	{"database/sql, a user, a token and a time-out in the DSN", func(ctx context.Context, _ *flightsql.Client) error {
		return first(
			func() error { return withDSN(ctx, "flightsql://me:secret@"+address, expectOne) },
			func() error { return withDSN(ctx, "flightsql://"+address+"?token=anything&timeout=60s", expectOne) },
		)
	}},
	{"database/sql, connections at once", withDatabase("", func(ctx context.Context, db *sql.DB) error {
		db.SetMaxOpenConns(4)
		failures := make(chan error, 16)
		for i := range 16 {
			go func() {
				var failed error
				for k := range 10 {
					var sum int64
					err := db.QueryRowContext(ctx, "SELECT ?::BIGINT + ?::BIGINT", i, k).Scan(&sum)
					failed = errors.Join(failed, err, expect(sum, i+k, "sum"))
				}
				failures <- failed
			}()
		}
		var failed error
		for range 16 {
			failed = errors.Join(failed, <-failures)
		}
		return failed
	})},
}

// secureChecks use the driver over TLS, against accounts: ADDRESS PLAINTEXT-PORT FOLDER-OF-CERTIFICATES.
var secureChecks = []check{
	{"database/sql over TLS", func(ctx context.Context, _ *flightsql.Client) error {
		authority, err := os.ReadFile(filepath.Join(os.Args[4], "ca.crt"))
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(authority)
		if err := driver.RegisterTLSConfig("development", &tls.Config{RootCAs: pool}); err != nil {
			return err
		}
		password := url.QueryEscape("se:cret")
		return first(
			func() error {
				return withDSN(ctx, "flightsql://alice:"+password+"@"+address+"?tls=development&timeout=60s", expectOne)
			},
			func() error {
				return withDSN(ctx, "flightsql://"+address+"?tls=development&timeout=60s&token=letmein", expectOne)
			},
			func() error {
				return refusedWith(ctx, "flightsql://alice:wrong@"+address+"?tls=development&timeout=60s", "wrong user name or password")
			},
			func() error {
				return refusedWith(ctx, "flightsql://alice:"+password+"@"+address+"?tls=enabled&timeout=60s", "certificate")
			},
		)
	}},
	{"database/sql with an account and without TLS", func(ctx context.Context, _ *flightsql.Client) error {
		plain := "127.0.0.1:" + os.Args[3]
		return first(
			func() error { return withDSN(ctx, "flightsql://alice:se%3Acret@"+plain+"?timeout=60s", expectOne) },
			func() error {
				return refusedWith(ctx, "flightsql://bob:secret@"+plain+"?timeout=60s", "wrong user name or password")
			},
			func() error { return refusedWith(ctx, "flightsql://"+plain+"?timeout=60s&token=wrong", "bearer token") },
			func() error { return refusedWith(ctx, "flightsql://"+plain+"?timeout=60s", "Unauthenticated") },
		)
	}},
}

func withDSN(ctx context.Context, dsn string, run func(context.Context, *sql.DB) error) error {
	db, err := sql.Open("flightsql", dsn)
	if err != nil {
		return err
	}
	return errors.Join(run(ctx, db), db.Close())
}

func withDatabase(options string, run func(context.Context, *sql.DB) error) func(context.Context, *flightsql.Client) error {
	return func(ctx context.Context, _ *flightsql.Client) error {
		return withDSN(ctx, "flightsql://"+address+options, run)
	}
}

func expectOne(ctx context.Context, db *sql.DB) error {
	var number int64
	if err := db.QueryRowContext(ctx, "SELECT 42").Scan(&number); err != nil {
		return err
	}
	return expect(number, 42, "number")
}

// refusedWith wants an error that says why.
func refusedWith(ctx context.Context, dsn string, why string) error {
	err := withDSN(ctx, dsn, expectOne)
	if err == nil || !strings.Contains(err.Error(), why) {
		return fmt.Errorf("%s is not refused with %q: %v", dsn, why, err)
	}
	return nil
}
