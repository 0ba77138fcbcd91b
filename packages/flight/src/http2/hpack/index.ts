export { HpackDecoder } from './decoder.ts';
export { HpackEncoder } from './encoder.ts';
export { HeaderListTooLargeError } from './errors.ts';
