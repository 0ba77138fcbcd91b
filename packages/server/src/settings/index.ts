// Settings of `peregrine serve`
export { type FlagValue, type SettingsSources, loadSettings } from './load.ts';
export { type SettingFlag, settingFlags } from './help.ts';
export { eitherOf, nearestNames } from './nearest.ts';
export { type EngineChoice, type S3UrlStyle, type ServerSettings, SettingsError } from './settings.ts';
export { fileReason } from './start-errors.ts';
