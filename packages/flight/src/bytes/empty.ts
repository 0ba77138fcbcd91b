/** No bytes. One object for everybody, so that it can be compared with `===`. */
export const noBytes: Uint8Array = new Uint8Array(0);
