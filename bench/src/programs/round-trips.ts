/** How long is measured, and before that not counted, in ms. */
const measuredMs = 3000;
const warmUpMs = 1500;

/** Calls again and again with so many calls in flight, and prints `{"calls", "seconds"}`. */
export async function roundTrips(inFlight: number, call: () => Promise<void>): Promise<void> {
  await during(warmUpMs, inFlight, call);
  const start = performance.now();
  const calls = await during(measuredMs, inFlight, call);
  console.log(JSON.stringify({ calls, seconds: (performance.now() - start) / 1000 }));
}

async function during(ms: number, inFlight: number, call: () => Promise<void>): Promise<number> {
  const end = performance.now() + ms;
  let calls = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < end) {
      await call();
      calls++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, () => one()));
  return calls;
}
