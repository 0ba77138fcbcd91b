import { listSettings, variableOf } from './definitions.ts';

/** The settings as commander's options take them. */
export interface SettingFlag {
  /** `--flight-port <port>` */
  readonly flags: string;
  /** The heading that it stands under. */
  readonly group: string;
  /** What the setting does. */
  readonly summary: string;
  /** The same with its variable and its default. */
  readonly description: string;
  /** The values that it can have, as far as they are words; undefined where none are. */
  readonly words: readonly string[] | undefined;
}

/** The flags of `peregrine serve`. They have no defaults of their own: what is not given is looked for elsewhere. */
export function settingFlags(): readonly SettingFlag[] {
  return listSettings()
    .filter(({ positional }) => positional !== true)
    .map((setting) => {
      const facts = [
        `env: ${[variableOf(setting), ...(setting.alsoVariables ?? [])].join(' or ')}`,
        ...(setting.initialText === undefined ? [] : [`default: ${setting.initialText}`]),
      ];
      return {
        group: `${setting.group}:`,
        flags: `--${setting.name}${setting.value === undefined ? '' : ` ${setting.value}`}`,
        summary: setting.description,
        description: `${setting.description} (${facts.join(', ')})`,
        words: setting.words,
      };
    });
}

/** The settings as a table of Markdown, for docs/server.md. */
export function settingsTable(): string {
  const rows = listSettings().map((setting) => {
    const flag =
      setting.positional === true
        ? 'arguments'
        : `\`--${setting.name}${setting.value === undefined ? '' : ` ${setting.value}`}\``;
    const others = (setting.alsoVariables ?? []).map((name) => `\`${name}\``);
    const variables = [`\`${variableOf(setting)}\``, ...others].join(', ');
    const key = setting.inFile === false ? '' : `\`${setting.name}\``;
    const initial = setting.initialText ?? (setting.value === undefined ? 'no' : 'none');
    return `| ${flag} | ${variables} | ${key} | ${setting.description} | ${initial} |`.replaceAll('*', '\\*');
  });
  return ['| Flag | Variable | Key | What | Default |', '|---|---|---|---|---|', ...rows].join('\n');
}
