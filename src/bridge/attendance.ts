/**
 * The numbers of a location are served while this node holds its lease and the app is installed there. An uninstall, or the
 * operator who deactivates it, stops them and keeps everything; the next installation connects them again, without a scan.
 */
import type { LocationId } from '../core/ids.ts'
import { type InstallationStore, isServed } from './installations.ts'

export interface AttendanceDeps {
  readonly installations: Pick<InstallationStore, 'findByLocation' | 'removedAmong'>
  readonly numbers: {
    serve(location: LocationId): Promise<void>
    leave(location: LocationId): Promise<void>
  }
}

export interface Attendance {
  /** The lease is ours: resolves when the numbers are known, or rightly left alone. */
  gain(location: LocationId): Promise<void>
  /** The lease goes: resolves when nothing is done for the location any more. */
  lose(location: LocationId): Promise<void>
  /** Something about its installation has changed. */
  check(location: LocationId): Promise<void>
  /** The locations of ours to which that happened without a word: announcements can be lost. */
  overlooked(): Promise<readonly LocationId[]>
}

export function createAttendance({ installations, numbers }: AttendanceDeps): Attendance {
  const held = new Set<LocationId>()
  const served = new Set<LocationId>()
  /** Of each location, the end of its last step: steps come one after the other. */
  const steps = new Map<LocationId, Promise<void>>()

  const settle = async (location: LocationId): Promise<void> => {
    const row = held.has(location) ? await installations.findByLocation(location) : undefined
    // Of a location without a row nobody has said that the app was removed.
    const isInstalled = held.has(location) && (row === undefined || isServed(row))
    // The lease may have gone while the store answered.
    const isWanted = isInstalled && held.has(location)
    if (isWanted === served.has(location)) return
    if (isWanted) {
      served.add(location)
      await numbers.serve(location)
    } else {
      served.delete(location)
      await numbers.leave(location)
    }
  }

  const inTurn = (location: LocationId): Promise<void> => {
    const step = (steps.get(location) ?? Promise.resolve()).then(() => settle(location))
    const done = step.catch(() => undefined)
    steps.set(location, done)
    void done.then(() => {
      if (steps.get(location) === done) steps.delete(location)
    })
    return step
  }

  return {
    gain(location) {
      held.add(location)
      return inTurn(location)
    },
    lose(location) {
      held.delete(location)
      return inTurn(location)
    },
    check: (location) => (held.has(location) ? inTurn(location) : Promise.resolve()),
    async overlooked() {
      if (held.size === 0) return []
      const removed = new Set(await installations.removedAmong([...held]))
      return [...held].filter((location) => removed.has(location) === served.has(location))
    },
  }
}
