package main

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// each row costs, so that it takes a while whatever the machine
	longRows  = "SELECT sha256(repeat('x', 1000) || i) AS h FROM go_rows WHERE sha256(repeat('y', 1000) || i) > '1'"
	longQuery = "SELECT count(*) AS n FROM (" + longRows + ")"
	makeRows  = "CREATE TABLE IF NOT EXISTS go_rows AS SELECT range AS i FROM range(10000000)"
	shortRows = "SELECT count(*) AS n FROM go_rows WHERE sha256(i::VARCHAR) > '1'"
)

type poll = func(ctx context.Context, retry *flight.FlightDescriptor) (*flight.PollInfo, error)

// rises polls until progress was told three times, always more.
func rises(ctx context.Context, ask poll, info *flight.PollInfo) error {
	told := []float64{}
	for len(told) < 3 {
		if info.GetFlightDescriptor() == nil {
			return fmt.Errorf("done, with progress %v only", told)
		}
		if !info.GetExpirationTime().AsTime().After(time.Now()) {
			return fmt.Errorf("expires at %v", info.GetExpirationTime())
		}
		if len(info.GetInfo().GetEndpoint()) != 0 {
			return fmt.Errorf("endpoints before the end")
		}
		var err error
		if info, err = ask(ctx, info.GetFlightDescriptor()); err != nil {
			return err
		}
		if info.Progress == nil {
			continue
		}
		if len(told) > 0 && info.GetProgress() < told[len(told)-1] {
			return fmt.Errorf("progress fell: %v, %v", told, info.GetProgress())
		}
		if len(told) == 0 || info.GetProgress() > told[len(told)-1] {
			told = append(told, info.GetProgress())
		}
	}
	if told[0] <= 0 || told[2] >= 1 {
		return fmt.Errorf("progress %v", told)
	}
	return nil
}

// cancelled stops a query, and is told of it by the next poll.
func cancelled(ctx context.Context, sql *flightsql.Client, ask poll, begun *flight.PollInfo) error {
	result, err := sql.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: begun.GetInfo()})
	if err != nil {
		return err
	}
	if result.GetStatus() != flight.CancelStatusCancelled {
		return fmt.Errorf("status %v", result.GetStatus())
	}
	_, err = ask(ctx, begun.GetFlightDescriptor())
	if code := status.Code(err); code != codes.NotFound && code != codes.Canceled {
		return fmt.Errorf("a poll after the end: %v", err)
	}
	return nil
}

// tells polls what runs until its progress has risen, and cancels it.
func tells(ctx context.Context, sql *flightsql.Client, ask poll) error {
	begun, err := ask(ctx, nil)
	if err != nil {
		return err
	}
	return first(
		func() error { return rises(ctx, ask, begun) },
		func() error { return cancelled(ctx, sql, ask, begun) },
	)
}

// toTheEnd polls until the query is done: what the last poll gave.
func toTheEnd(ctx context.Context, ask poll, info *flight.PollInfo) (*flight.PollInfo, error) {
	for info.GetFlightDescriptor() != nil {
		var err error
		if info, err = ask(ctx, info.GetFlightDescriptor()); err != nil {
			return nil, err
		}
	}
	return info, nil
}

var pollChecks = []check{
	{"a poll tells how far a query is, and it is cancelled", func(ctx context.Context, sql *flightsql.Client) error {
		if err := updates(ctx, sql, makeRows); err != nil {
			return err
		}
		ask := func(ctx context.Context, retry *flight.FlightDescriptor) (*flight.PollInfo, error) {
			return sql.ExecutePoll(ctx, longQuery, retry)
		}
		return tells(ctx, sql, ask)
	}},
	{"a poll tells how far an update is, and it is cancelled", func(ctx context.Context, sql *flightsql.Client) error {
		if err := updates(ctx, sql, makeRows); err != nil {
			return err
		}
		ask := func(ctx context.Context, retry *flight.FlightDescriptor) (*flight.PollInfo, error) {
			return sql.ExecutePoll(ctx, "CREATE TABLE go_not_made AS "+longRows, retry)
		}
		return first(
			func() error { return tells(ctx, sql, ask) },
			func() error {
				if _, err := sql.Execute(ctx, "FROM go_not_made"); err == nil {
					return fmt.Errorf("the table is there")
				}
				return nil
			},
		)
	}},
	{"a poll tells how far a prepared query is, and it is cancelled", func(ctx context.Context, sql *flightsql.Client) error {
		if err := updates(ctx, sql, makeRows); err != nil {
			return err
		}
		prepared, err := sql.Prepare(ctx, longQuery+" HAVING n > ?")
		if err != nil {
			return err
		}
		defer prepared.Close(ctx)
		prepared.SetParameters(integers(0))
		ask := func(ctx context.Context, retry *flight.FlightDescriptor) (*flight.PollInfo, error) {
			return prepared.ExecutePoll(ctx, retry)
		}
		return tells(ctx, sql, ask)
	}},
	{"a poll ends with a ticket that is renewed, fetched and told again", func(ctx context.Context, sql *flightsql.Client) error {
		if err := updates(ctx, sql, makeRows); err != nil {
			return err
		}
		ask := func(ctx context.Context, retry *flight.FlightDescriptor) (*flight.PollInfo, error) {
			return sql.ExecutePoll(ctx, shortRows, retry)
		}
		begun, err := ask(ctx, nil)
		if err != nil {
			return err
		}
		done, err := toTheEnd(ctx, ask, begun)
		if err != nil {
			return err
		}
		if err := expect(done.GetProgress(), 1.0, "progress at the end"); err != nil {
			return err
		}
		if begun.GetFlightDescriptor() != nil {
			again, err := ask(ctx, begun.GetFlightDescriptor())
			if err != nil {
				return err
			}
			if err := expect(again.GetInfo().GetEndpoint(), done.GetInfo().GetEndpoint(), "endpoints told again"); err != nil {
				return err
			}
		}
		endpoint := done.GetInfo().GetEndpoint()[0]
		renewed, err := sql.RenewFlightEndpoint(ctx, &flight.RenewFlightEndpointRequest{Endpoint: endpoint})
		if err != nil {
			return err
		}
		if renewed.GetExpirationTime().AsTime().Before(endpoint.GetExpirationTime().AsTime()) {
			return fmt.Errorf("renewed until %v, before it was %v", renewed.GetExpirationTime(), endpoint.GetExpirationTime())
		}
		count, err := one(ctx, sql, done.GetInfo(), nil)
		if err != nil {
			return err
		}
		if count == "0" {
			return fmt.Errorf("no rows counted")
		}
		return updates(ctx, sql, "DROP TABLE go_rows")
	}},
}
