import type { EngineConnection } from '../../engine/types.ts';
import { queryRows, textOf, textsOf } from '../../engine/rows.ts';

/** What DuckDB says of its language, as GetSqlInfo tells it. */
export interface LanguageLists {
  readonly keywords: readonly string[];
  readonly numericFunctions: readonly string[];
  readonly stringFunctions: readonly string[];
  readonly systemFunctions: readonly string[];
  readonly datetimeFunctions: readonly string[];
}

const numbers = "['TINYINT','SMALLINT','INTEGER','BIGINT','HUGEINT','FLOAT','DOUBLE','DECIMAL']";
const times = "['DATE','TIME','TIMESTAMP','INTERVAL','TIME WITH TIME ZONE','TIMESTAMP WITH TIME ZONE']";

/** Words that SQL reserves anyway and JDBC wants left out would hide what DuckDB reserves: all that are reserved are told. */
const keywords =
  "select keyword_name as name, 'keyword' as kind from duckdb_keywords() where keyword_category = 'reserved'";

/**
 * A function belongs to numbers when it takes and gives only numbers, to times when it takes one of their types, to
 * texts when its first argument is one; those without arguments are of the system. Collations are no functions.
 */
const functions =
  `select distinct function_name as name, case ` +
  `when list_has_any(parameter_types, ${times}) or function_name in ('current_date', 'now', 'today', 'strptime', ` +
  `'current_localtime', 'current_localtimestamp', 'get_current_timestamp', 'make_date', 'make_time', ` +
  `'make_timestamp', 'to_timestamp') then 'datetime' ` +
  `when len(parameter_types) > 0 and list_contains(${numbers}, return_type) and ` +
  `list_bool_and([list_contains(${numbers}, t) for t in parameter_types]) or function_name in ('pi', 'random') ` +
  `then 'numeric' ` +
  `when parameter_types[1] = 'VARCHAR' and not starts_with(function_name, 'json') then 'string' ` +
  `when len(parameter_types) = 0 and regexp_full_match(function_name, ` +
  `'current_.*|session_user|user|version|uuid.*|gen_random_uuid|txid_current|inet_.*') then 'system' end as kind ` +
  `from duckdb_functions() where function_type in ('scalar', 'macro') and ` +
  `regexp_full_match(function_name, '[a-z][a-z_0-9]*') and not starts_with(function_name, 'icu_collate')`;

/** Asks DuckDB for its keywords and functions, which grow with its extensions. */
export async function readLanguageLists(connection: EngineConnection): Promise<LanguageLists> {
  const rows = await queryRows(
    connection,
    `select kind, list(distinct name order by name) as names from (${keywords} union all ${functions}) ` +
      `where kind is not null group by kind`,
  );
  const lists = new Map(rows.map((row) => [textOf(row['kind']), textsOf(row['names'])]));
  return {
    keywords: lists.get('keyword') ?? [],
    numericFunctions: lists.get('numeric') ?? [],
    stringFunctions: lists.get('string') ?? [],
    systemFunctions: lists.get('system') ?? [],
    datetimeFunctions: lists.get('datetime') ?? [],
  };
}
