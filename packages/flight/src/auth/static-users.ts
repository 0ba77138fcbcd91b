import { createHash, timingSafeEqual } from 'node:crypto';

/** Checks a user name and password: the identity they stand for, or `undefined` when they are wrong. */
export type PasswordCheck = (
  username: string,
  password: string,
) => string | undefined | Promise<string | undefined>;

/**
 * A {@link PasswordCheck} over a fixed list, for tests, examples and servers with a handful of users. Passwords are
 * compared in constant time, and unknown names take as long as known ones.
 *
 * @param users - passwords by user name
 */
export function staticUsers(users: Readonly<Record<string, string>>): PasswordCheck {
  const digests = new Map(Object.entries(users).map(([name, password]) => [name, digest(password)]));
  const nobody = digest('');
  return (username, password) => {
    const known = digests.get(username);
    const equal = timingSafeEqual(digest(password), known ?? nobody);
    return known !== undefined && equal ? username : undefined;
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
