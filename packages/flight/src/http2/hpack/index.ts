export { HpackDecoder } from './decoder.ts';
export type { HpackDecoderOptions } from './decoder.ts';
export { HpackEncoder } from './encoder.ts';
export type { HpackEncoderOptions } from './encoder.ts';
export { HeaderListTooLargeError } from './errors.ts';
