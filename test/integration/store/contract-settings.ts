import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS, type LocationSettings } from '../../../src/core/settings.ts'
import { createSettingsStore } from '../../../src/store/settings.ts'
import { freshPlace, type Subject } from './subject.ts'

export function describeSettings(subject: () => Subject): void {
  describe('settings', () => {
    it('are the defaults until somebody decides, and then keep every decision', async () => {
      const { settings } = subject().store
      const { locationId, sessionId } = await freshPlace(subject())
      expect(await settings.read(locationId)).toEqual(DEFAULT_SETTINGS)
      expect(await settings.write(locationId, { groups: true, historyDays: 90 })).toEqual({
        ...DEFAULT_SETTINGS,
        groups: true,
        historyDays: 90,
      })
      const all: LocationSettings = {
        groups: false,
        label: false,
        markRead: true,
        holdAfterMinutes: 1,
        pinnedSessionId: sessionId,
        historyDays: 0,
      }
      expect(await settings.write(locationId, all)).toEqual(all)
      expect(await settings.read(locationId)).toEqual(all)
      expect(await settings.write(locationId, { pinnedSessionId: null })).toEqual({
        ...all,
        pinnedSessionId: null,
      })
    })

    it('are of one location each', async () => {
      const { settings } = subject().store
      const [one, other] = [await freshPlace(subject()), await freshPlace(subject())]
      await settings.write(one.locationId, { label: false })
      expect(await settings.read(other.locationId)).toEqual(DEFAULT_SETTINGS)
    })

    it('refuse to pin the number of another location, and change nothing then', async () => {
      const { settings } = subject().store
      const [one, other] = [await freshPlace(subject()), await freshPlace(subject())]
      const foreign = { markRead: true, pinnedSessionId: other.sessionId }
      await expect(settings.write(one.locationId, foreign)).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' })
      expect(await settings.read(one.locationId)).toEqual(DEFAULT_SETTINGS)
    })

    it('pin nothing any more when the number goes', async () => {
      const { settings, sessions } = subject().store
      const { locationId, sessionId } = await freshPlace(subject())
      await settings.write(locationId, { pinnedSessionId: sessionId })
      await sessions.remove(sessionId)
      const { pinnedSessionId } = await createSettingsStore(subject()).read(locationId)
      expect(pinnedSessionId).toBeNull()
    })

    it('are known on every other node within a second', async () => {
      const { locationId } = await freshPlace(subject())
      const elsewhere = createSettingsStore(subject())
      expect((await elsewhere.read(locationId)).markRead).toBe(false)
      await subject().store.settings.write(locationId, { markRead: true })
      await setTimeout(1_000)
      expect((await elsewhere.read(locationId)).markRead).toBe(true)
    })
  })
}
