import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A block of code in a page of the documentation. */
export interface CodeBlock {
  /** The page and the line that the block begins at: `docs/client.md:3`. */
  readonly place: string;
  /** The language, as it stands behind the backticks. */
  readonly language: string;
  readonly code: string;
  /** What an invisible comment right above says that comes before it: declarations of what the text speaks of. */
  readonly before: string | undefined;
}

/** The folder of the repository. Tests run from examples/dist/test. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url));

/** The pages for users, from the folder of the repository. */
export const pages: readonly string[] = [
  'README.md',
  ...readdirSync(`${root}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...readdirSync(`${root}packages`).map((name) => `packages/${name}/README.md`),
];

/** The blocks of a page. They begin at the start of a line. */
export function codeBlocks(page: string): CodeBlock[] {
  const text = readFileSync(`${root}${page}`, 'utf8').replaceAll('\r\n', '\n');
  const blocks = text.matchAll(/(?:^<!-- before:\n([^]*?)\n-->\n)?^```(\w*)\n([^]*?)^```$/gm);
  return [...blocks].map(({ index, 0: all, 1: before, 2: language = '', 3: code = '' }) => ({
    place: `${page}:${text.slice(0, index + all.lastIndexOf(`\`\`\`${language}\n${code}`)).split('\n').length}`,
    language,
    code,
    before,
  }));
}

/** What a page links to, or names in backticks by a path from the folder of the repository, and is not there. */
export function missingPaths(page: string): string[] {
  const text = readFileSync(`${root}${page}`, 'utf8').replaceAll(/^```[^]*?^```$/gm, '');
  const links = [...text.matchAll(/\]\((?!\w+:)([^)#]*)(?:#([\w-]*))?\)/g)].map(([, path = '', anchor]) => ({
    path: path === '' ? page : posix.join(posix.dirname(page), path),
    anchor,
  }));
  const named = [
    ...text.matchAll(/`((?:packages|docs|conformance|bench|examples|scripts|\.ci)\/[\w./-]+)`/g),
  ];
  return [...links, ...named.map(([, path = '']) => ({ path, anchor: undefined }))]
    .filter(({ path, anchor }) => !existsSync(`${root}${path}`) || !hasHeading(path, anchor))
    .map(({ path, anchor }) => (anchor === undefined ? path : `${path}#${anchor}`));
}

function hasHeading(page: string, anchor: string | undefined): boolean {
  if (anchor === undefined) return true;
  const headings = readFileSync(`${root}${page}`, 'utf8').matchAll(/^#+ (.*)$/gm);
  return [...headings].some(
    ([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(/\s/g, '-') === anchor,
  );
}

/** What the packages of the workspace depend on; a package for each platform counts as one, with a star. */
export function dependencies(): { readonly name: string; readonly version: string }[] {
  const folders = ['', ...readdirSync(`${root}packages`).map((name) => `packages/${name}/`)];
  return [...folders, 'bench/', 'conformance/', 'examples/'].flatMap((folder) => {
    const manifest = JSON.parse(readFileSync(`${root}${folder}package.json`, 'utf8')) as Readonly<
      Record<string, Readonly<Record<string, string>>>
    >;
    return Object.keys(manifest)
      .filter((key) => /dependencies$/i.test(key))
      .flatMap((key) => Object.entries(manifest[key] ?? {}))
      .filter(([name]) => !name.startsWith('@peregrine/'))
      .map(([name, version]) => ({
        name: name.replace(/-(?:darwin|linux|win32)-.*/, '-*'),
        version: version.replace('^', ''),
      }));
  });
}
