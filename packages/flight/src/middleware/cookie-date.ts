/**
 * Dates as cookies write them (RFC 6265, section 5.1.1). There are too many forms to list, so the text is cut into
 * tokens and each token is taken for what it looks like, in this order, the first of each kind:
 *
 *     time           1*2DIGIT ":" 1*2DIGIT ":" 1*2DIGIT   [non-digit ...]
 *     day of month   1*2DIGIT                             [non-digit ...]
 *     month          first three letters, in any case
 *     year           2*4DIGIT                             [non-digit ...]     70..99 → 19xx, 0..69 → 20xx
 */

// delimiters: tab, space to "/", ";" to "@", "[" to "`", "{" to "~"
const delimiters = /[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+/;
const timeToken = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D.*)?$/;
const dayToken = /^(\d{1,2})(?:\D.*)?$/;
const yearToken = /^(\d{2,4})(?:\D.*)?$/;
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Reads a cookie date, always UTC, in milliseconds since 1970; `undefined` for what is not a date. */
export function parseCookieDate(text: string): number | undefined {
  let time: RegExpExecArray | undefined;
  let day: number | undefined;
  let month: number | undefined;
  let year: number | undefined;
  for (const token of text.split(delimiters)) {
    const timeMatch = time === undefined ? timeToken.exec(token) : null;
    const dayMatch = day === undefined ? dayToken.exec(token) : null;
    const yearMatch = year === undefined ? yearToken.exec(token) : null;
    const monthIndex = month === undefined ? months.indexOf(token.slice(0, 3).toLowerCase()) : -1;
    if (timeMatch !== null) time = timeMatch;
    else if (dayMatch !== null) day = Number(dayMatch[1]);
    else if (monthIndex >= 0) month = monthIndex;
    else if (yearMatch !== null) year = Number(yearMatch[1]);
  }
  if (time === undefined || day === undefined || month === undefined || year === undefined) return undefined;
  if (year >= 70 && year <= 99) year += 1900;
  else if (year <= 69) year += 2000;
  const [hour, minute, second] = [Number(time[1]), Number(time[2]), Number(time[3])];
  if (day < 1 || year < 1601 || hour > 23 || minute > 59 || second > 59) return undefined;
  const result = new Date(Date.UTC(year, month, day, hour, minute, second));
  // 31 February would have become a day of March
  return result.getUTCDate() === day ? result.getTime() : undefined;
}
