import type { SessionSnapshot } from '../bridge/ports.ts'

/** A number as the API shows it. */
export interface SessionShown extends SessionSnapshot {
  /** Whole milliseconds from when this was made; null when there is nothing to scan or to type. */
  readonly expiresInMs: number | null
}

/** Call it when the answer goes out: the time that is left runs from then. */
export function shownNow(session: SessionSnapshot): SessionShown {
  const { expiresAt } = session
  return {
    ...session,
    expiresInMs: expiresAt === null ? null : Math.max(0, Date.parse(expiresAt) - Date.now()),
  }
}
