import { z } from 'zod'
import type { SettingsStore } from '../bridge/storage/settings.ts'
import { sessionUnknown } from '../bridge/unknown.ts'
import type { LocationId } from '../core/ids.ts'
import { DEFAULT_SETTINGS, type LocationSettings } from '../core/settings.ts'
import type { Database } from './database.ts'
import { sessionId } from './rows.ts'

/** Every message asks. What another node changed is known here within this time. */
const KEPT_MS = 900

const Decided = z
  .object({
    groups: z.boolean().exactOptional(),
    label: z.boolean().exactOptional(),
    markRead: z.boolean().exactOptional(),
    holdAfterMinutes: z.number().exactOptional(),
    pinnedSessionId: sessionId.exactOptional(),
    historyDays: z.number().exactOptional(),
  })
  .nullable()

interface Kept {
  readonly settings: Promise<LocationSettings>
  readonly untilMs: number
}

export function createSettingsStore({ database }: { database: Database }): SettingsStore {
  const kept = new Map<LocationId, Kept>()
  const settingsOf = (answer: unknown): LocationSettings => ({
    ...DEFAULT_SETTINGS,
    ...Decided.parse(answer),
  })
  const load = async (locationId: LocationId): Promise<LocationSettings> =>
    settingsOf(await database.call('read_settings', { locationId }))

  return {
    read(locationId) {
      const known = kept.get(locationId)
      if (known !== undefined && known.untilMs > performance.now()) return known.settings
      const settings = load(locationId)
      kept.set(locationId, { settings, untilMs: performance.now() + KEPT_MS })
      settings.catch(() => kept.delete(locationId))
      return settings
    },
    async write(locationId, patch) {
      const answer = await database.call('write_settings', { locationId, patch })
      kept.delete(locationId)
      if (answer === null) throw sessionUnknown('This location has no number with this id to pin')
      return settingsOf(answer)
    },
  }
}
