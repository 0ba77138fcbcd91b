/** A clock that stands still until it is told. */
export function clock(): { readonly now: () => number; readonly advance: (ms: number) => void } {
  let time = 1_000_000;
  return {
    now: () => time,
    advance: (ms) => {
      time += ms;
    },
  };
}
