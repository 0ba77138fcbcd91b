import type { CompletedFlag, CompletionModel, Values } from './model.ts';

/**
 * The script for PowerShell, from version 5 on. Where it offers nothing, PowerShell itself offers files. Flags are lists
 * and no hash tables, whose keys make no difference between `-h` and `-H`.
 */
export function powershellCompletion({ program, version, flags, verbs }: CompletionModel): string {
  const all = [{ name: '', summary: '', flags, argument: { kind: 'nothing' } as const }, ...verbs];
  const tables = all.map(
    (verb) =>
      `    @{ Name = ${quote(verb.name)}; About = ${quote(verb.summary)}; Words = ${wordList(verb.argument)}; Flags = @(\n` +
      `${verb.flags.map(flagLine).join(',\n')}\n    ) }`,
  );
  return `# Completion of ${program} ${version} for PowerShell, made by: ${program} completion powershell

Register-ArgumentCompleter -Native -CommandName ${quote(program)} -ScriptBlock {
  param($word, $line, $cursor)
  $verbs = @(
${tables.join(',\n')}
  )
  function Offer($text, $about, $kind) {
    if ($text -clike "$word*") { [System.Management.Automation.CompletionResult]::new($text, $text, $kind, $about) }
  }
  $before = @($line.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { $_.ToString() })
  $name = if ($before.Count -gt 1) { $before[1] } else { '' }
  $verb = $verbs | Where-Object { $_.Name -ceq $name }
  if ($null -eq $verb) { return }
  $flag = $verb.Flags | Where-Object { $_.Takes -and $_.Names -ccontains $before[-1] }
  if ($null -ne $flag) {
    foreach ($value in $flag.Words) { Offer $value $value 'ParameterValue' }
  } elseif ($word -like '-*') {
    foreach ($flag in $verb.Flags) { foreach ($name in $flag.Names) { Offer $name $flag.About 'ParameterName' } }
  } elseif ($name -eq '') {
    foreach ($verb in $verbs) { if ($verb.Name -ne '') { Offer $verb.Name $verb.About 'Command' } }
  } else {
    foreach ($value in $verb.Words) { Offer $value $value 'ParameterValue' }
  }
}
`;
}

function flagLine({ names, summary, value }: CompletedFlag): string {
  const takes = value === undefined ? '$false' : '$true';
  const words = wordList(value ?? { kind: 'nothing' });
  const list = names.map(quote).join(', ');
  return `      @{ Names = @(${list}); Takes = ${takes}; Words = ${words}; About = ${quote(summary)} }`;
}

function wordList(values: Values): string {
  return `@(${values.kind === 'words' ? values.words.map(quote).join(', ') : ''})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
