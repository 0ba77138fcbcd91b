/** One header: a lower-case name and a value, both latin1 strings (a byte a code unit). */
export type HeaderField = readonly [name: string, value: string];

/** Headers in the order of the wire; names repeat where they repeat; pseudo headers come first. */
export type HeaderList = readonly HeaderField[];
