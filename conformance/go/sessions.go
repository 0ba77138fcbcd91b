package main

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func set(ctx context.Context, sql *flightsql.Client, options map[string]any) (*flight.SetSessionOptionsResult, error) {
	values, err := flight.NewSessionOptionValues(options)
	if err != nil {
		return nil, err
	}
	return sql.SetSessionOptions(ctx, &flight.SetSessionOptionsRequest{SessionOptions: values})
}

func option(ctx context.Context, sql *flightsql.Client, name string) (*flight.SessionOptionValue, error) {
	found, err := sql.GetSessionOptions(ctx, &flight.GetSessionOptionsRequest{})
	if err != nil {
		return nil, err
	}
	return found.GetSessionOptions()[name], nil
}

var sessionChecks = []check{
	{"session options of every kind, for one client only, until its session is closed", func(ctx context.Context, other *flightsql.Client) error {
		sql, err := connect(flight.NewClientCookieMiddleware())
		if err != nil {
			return err
		}
		defer sql.Close()
		if err := updates(ctx, sql, "CREATE SCHEMA IF NOT EXISTS go_place"); err != nil {
			return err
		}
		result, err := set(ctx, sql, map[string]any{
			"schema":                  "go_place",
			"ieee_floating_point_ops": false,
			"max_expression_depth":    int64(750),
			"index_scan_percentage":   0.25,
			"TimeZone":                "Asia/Tokyo",
		})
		if err != nil {
			return err
		}
		if len(result.GetErrors()) != 0 {
			return fmt.Errorf("refused: %v", result.GetErrors())
		}
		for name, expected := range map[string]string{
			"schema":                  `string_value:"go_place"`,
			"ieee_floating_point_ops": "bool_value:false",
			"max_expression_depth":    "int64_value:750",
			"index_scan_percentage":   "double_value:0.25",
		} {
			value, err := option(ctx, sql, name)
			if err != nil {
				return err
			}
			if err := expect(value, expected, name); err != nil {
				return err
			}
		}
		for text, expected := range map[string]string{
			"SELECT current_schema()":                                 "go_place",
			"SELECT current_setting('max_expression_depth')::VARCHAR": "750",
			"SELECT current_setting('TimeZone')":                      "Asia/Tokyo",
			"SELECT (1 / 0) IS NULL":                                  "true",
		} {
			value, err := query(ctx, sql, text)
			if err != nil {
				return err
			}
			if err := expect(value, expected, text); err != nil {
				return err
			}
			if value, err = query(ctx, other, text); err != nil {
				return err
			}
			if value == expected {
				return fmt.Errorf("another client has it too: %s", text)
			}
		}
		// a list of names, as the setting takes it
		if result, err = set(ctx, sql, map[string]any{"search_path": []string{"go_place", "main"}}); err != nil || len(result.GetErrors()) != 0 {
			return fmt.Errorf("a list: %v %v", result.GetErrors(), err)
		}
		// without a value it is as if it had not been set
		if _, err = set(ctx, sql, map[string]any{"TimeZone": nil}); err != nil {
			return err
		}
		if value, err := query(ctx, sql, "SELECT current_setting('TimeZone')"); err != nil || value == "Asia/Tokyo" {
			return fmt.Errorf("set back: %v %v", value, err)
		}
		closed, err := sql.CloseSession(ctx, &flight.CloseSessionRequest{})
		if err != nil {
			return err
		}
		if err := expect(closed.GetStatus(), "CLOSED", "status"); err != nil {
			return err
		}
		value, err := query(ctx, sql, "SELECT current_schema()")
		if err != nil {
			return err
		}
		if err := expect(value, "main", "the schema after the session"); err != nil {
			return err
		}
		return updates(ctx, sql, "DROP SCHEMA go_place")
	}},
	{"session options that are refused, and why", func(ctx context.Context, _ *flightsql.Client) error {
		sql, err := connect(flight.NewClientCookieMiddleware())
		if err != nil {
			return err
		}
		defer sql.Close()
		result, err := set(ctx, sql, map[string]any{
			"not_an_option":        "x",
			"schema":               "nowhere",
			"max_expression_depth": "many",
			"threads":              int64(3),
		})
		if err != nil {
			return err
		}
		for name, expected := range map[string]string{
			"not_an_option":        "INVALID_NAME",
			"schema":               "INVALID_VALUE",
			"max_expression_depth": "INVALID_VALUE",
			"threads":              "ERROR",
		} {
			if err := expect(result.GetErrors()[name].GetValue(), expected, name); err != nil {
				return err
			}
		}
		return nil
	}},
	{"asking for options begins no session", func(ctx context.Context, _ *flightsql.Client) error {
		sql, err := connect(flight.NewClientCookieMiddleware())
		if err != nil {
			return err
		}
		defer sql.Close()
		value, err := option(ctx, sql, "catalog")
		if err != nil {
			return err
		}
		if value.GetStringValue() == "" {
			return fmt.Errorf("no catalog is told")
		}
		closed, err := sql.CloseSession(ctx, &flight.CloseSessionRequest{})
		if err != nil && status.Code(err) != codes.NotFound {
			return err
		}
		return expect(closed.GetStatus(), "NOT_CLOSEABLE", "status of closing what never began")
	}},
}
