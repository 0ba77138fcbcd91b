/*
 * Pieces that the OpenAPI document is made of.
 */

/** One of the schemas of the document, by its name. */
export function schema(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}

/** What is answered in place of everything else. */
export const problem: object = { $ref: '#/components/responses/Problem' };

/** A parameter of the URL. */
export function query(name: string, description: string, schema: object): object {
  return { name, in: 'query', description, schema };
}

/** A part of the URL's path. */
export function inPath(name: string, schema: object): object {
  return { name, in: 'path', required: true, schema };
}

/** An answer in JSON. */
export function json(description: string, name: string): object {
  return { description, content: { 'application/json': { schema: schema(name) } } };
}
