import { Http2Error } from './errors.ts';
import {
  makeSettingsFrame,
  maxMaxFrameSize,
  maxWindow,
  minMaxFrameSize,
  readUint32,
  settingIds,
} from './frames.ts';
import { hpackTableBytes } from '../limits/http2.ts';
import type { ResolvedLimits } from './session-limits.ts';

/** What a peer's SETTINGS say, with the values before any. */
export interface PeerSettings {
  headerTableSize: number;
  maxConcurrentStreams: number;
  initialWindowSize: number;
  maxFrameSize: number;
  maxHeaderListSize: number;
}

/** The values that hold until the peer's first SETTINGS (RFC 9113, section 6.5.2). */
export function initialPeerSettings(): PeerSettings {
  return {
    headerTableSize: 4096,
    maxConcurrentStreams: Infinity,
    initialWindowSize: 65_535,
    maxFrameSize: minMaxFrameSize,
    maxHeaderListSize: Infinity,
  };
}

/**
 * Applies the payload of a SETTINGS frame; settings that are not known are passed over.
 *
 * @throws Http2Error for a value that the RFC does not allow
 */
export function applySettings(settings: PeerSettings, payload: Uint8Array, role: 'client' | 'server'): void {
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    const id = ((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0);
    const value = readUint32(payload, at + 2);
    switch (id) {
      case settingIds.headerTableSize:
        settings.headerTableSize = value;
        break;
      case settingIds.enablePush:
        if (value > 1 || (role === 'client' && value === 1)) {
          throw new Http2Error('PROTOCOL_ERROR', `SETTINGS_ENABLE_PUSH may not be ${value} here`);
        }
        break;
      case settingIds.maxConcurrentStreams:
        settings.maxConcurrentStreams = value;
        break;
      case settingIds.initialWindowSize:
        if (value > maxWindow) {
          throw new Http2Error(
            'FLOW_CONTROL_ERROR',
            `SETTINGS_INITIAL_WINDOW_SIZE ${value} is above ${maxWindow}`,
          );
        }
        settings.initialWindowSize = value;
        break;
      case settingIds.maxFrameSize:
        if (value < minMaxFrameSize || value > maxMaxFrameSize) {
          throw new Http2Error(
            'PROTOCOL_ERROR',
            `SETTINGS_MAX_FRAME_SIZE ${value} is not between ${minMaxFrameSize} and ${maxMaxFrameSize}`,
          );
        }
        settings.maxFrameSize = value;
        break;
      case settingIds.maxHeaderListSize:
        settings.maxHeaderListSize = value;
        break;
      default:
        break;
    }
  }
}

/** The SETTINGS frame that tells the peer our limits. */
export function makeOwnSettings(role: 'client' | 'server', limits: ResolvedLimits): Uint8Array {
  return makeSettingsFrame([
    [settingIds.headerTableSize, hpackTableBytes],
    role === 'client'
      ? [settingIds.enablePush, 0]
      : [settingIds.maxConcurrentStreams, limits.maxConcurrentStreams],
    [settingIds.initialWindowSize, limits.streamWindowBytes],
    [settingIds.maxFrameSize, limits.maxFrameSize],
    [settingIds.maxHeaderListSize, limits.maxHeaderListBytes],
  ]);
}
