/**
 * Why a connection ended, and what is right to do about it. One table; every row was reproduced against our own server.
 * @see whatsapp.md 1a (2026-11)
 */
import type { BridgeError } from '../core/errors.ts'
import type { SessionProblem, SessionStatus } from '../core/message.ts'

/**
 * `now`: at once, it is part of the protocol. `backoff`: jittered, for ever. `slow`: minutes between attempts.
 * `stop`: a person must act first.
 */
export type Reaction = 'now' | 'backoff' | 'slow' | 'stop'

export interface DisconnectRule {
  readonly status: SessionStatus
  readonly reaction: Reaction
  /** The credentials are worthless from now on: delete them, the next start pairs anew. */
  readonly forgetsCredentials: boolean
  readonly problem: SessionProblem | undefined
}

const problem = (code: string, message: string, action: string): SessionProblem => ({ code, message, action })

const OFFLINE = problem(
  'RECONNECTING',
  'The connection to WhatsApp is interrupted.',
  'Nothing to do: it reconnects by itself, and nothing is lost meanwhile.',
)

const LOGGED_OUT = problem(
  'LOGGED_OUT',
  'This number was unlinked on the phone.',
  'Pair it again; messages written meanwhile wait and go out then.',
)

export const QR_EXPIRED = problem(
  'QR_EXPIRED',
  'The code was not scanned in time.',
  'Ask for a new one and scan it within a minute.',
)

export const PAIRING_CODE_REFUSED = problem(
  'PAIRING_CODE_REFUSED',
  'WhatsApp refused to make a pairing code for this number.',
  'Check the number, or pair by scanning a QR.',
)

/** @param scannedPhone E.164. */
export const wrongNumber = (scannedPhone: string): SessionProblem => ({
  ...problem(
    'WRONG_NUMBER',
    'Another phone than the one of this number was paired, so it was unlinked again.',
    'Pair again with the right phone; for another phone add another number.',
  ),
  scannedPhone,
})

/**
 * @param scannedPhone E.164.
 * @param name of the number that it is connected as.
 */
export const alreadyHere = (scannedPhone: string, name: string | undefined): SessionProblem => ({
  ...problem(
    'ALREADY_HERE',
    `This phone is already connected here as ${name ?? 'another number'}, so it was unlinked again.`,
    'Remove this entry, or pair it with another phone.',
  ),
  scannedPhone,
  ...(name !== undefined && { connectedAs: name }),
})

export const LOGGED_OUT_BY_US = problem(
  'LOGGED_OUT',
  'This number was unlinked here.',
  'Pair it again; messages written meanwhile wait and go out then.',
)

export const STOPPED = problem(
  'STOPPED',
  'The bridge is not running.',
  'Nothing to do: the number connects again when the bridge starts.',
)

/** The connection could not even be tried. */
export const problemOf = (error: BridgeError): SessionProblem =>
  problem(
    error.code,
    `${error.message}.`,
    error.action ?? 'It is tried again; look at the bridge’s log if it stays.',
  )

const wait: DisconnectRule = {
  status: 'disconnected',
  reaction: 'backoff',
  forgetsCredentials: false,
  problem: OFFLINE,
}

const stop = (status: SessionStatus, what: SessionProblem, forgetsCredentials = false): DisconnectRule => ({
  status,
  reaction: 'stop',
  forgetsCredentials,
  problem: what,
})

const OVER: ReadonlySet<SessionStatus> = new Set(['logged_out', 'replaced', 'restricted', 'banned'])

/** True for states in which only a person can go on, unless WhatsApp has said when it ends by itself. */
export const isOver = (status: SessionStatus): boolean => OVER.has(status)

/** By the code that Baileys reports; several have no name in its `DisconnectReason`. */
export const DISCONNECT_RULES: ReadonlyMap<number, DisconnectRule> = new Map([
  // Always right after pairing: the server wants a login with the new credentials.
  [515, { status: 'connecting', reaction: 'now', forgetsCredentials: false, problem: undefined }],
  [428, wait],
  [408, wait],
  // The default for stream errors that Baileys does not know: no proof that the session is bad.
  [500, wait],
  [503, { ...wait, reaction: 'slow' }],
  [401, stop('logged_out', LOGGED_OUT, true)],
  [
    440,
    stop(
      'replaced',
      problem(
        'REPLACED',
        'The same linked device is connected somewhere else.',
        'Stop the other copy of this bridge, then restart the number here.',
      ),
    ),
  ],
  [
    402,
    stop(
      'restricted',
      problem(
        'TEMPORARILY_BANNED',
        'WhatsApp has restricted this number for a while.',
        'Open WhatsApp on the phone, read how long, and restart the number here after that.',
      ),
    ),
  ],
  [
    403,
    stop(
      'banned',
      problem(
        'ACCOUNT_LOCKED',
        'WhatsApp has locked this number or its main phone is gone.',
        'Open WhatsApp on the phone and follow what it says; then pair again.',
      ),
      // Neither comes back to this link: whatsmeow ends it as well.
      true,
    ),
  ],
  [
    406,
    stop(
      'banned',
      problem(
        'BANNED',
        'WhatsApp has banned this number.',
        'Open WhatsApp on the phone and ask for a review; when it is lifted, connect again here.',
      ),
    ),
  ],
  // Hammering a server that refuses the version makes it worse: slowly, a fix may come by configuration meanwhile.
  [
    405,
    {
      status: 'outdated',
      reaction: 'slow',
      forgetsCredentials: false,
      problem: problem(
        'OUTDATED',
        'WhatsApp refuses this version of the bridge.',
        'Update the bridge, or set WHATSAPP_VERSION to a current one.',
      ),
    },
  ],
  [
    411,
    stop(
      'logged_out',
      problem(
        'MULTI_DEVICE_OFF',
        'This WhatsApp account does not allow linked devices.',
        'Update WhatsApp on the phone, then pair again.',
      ),
      true,
    ),
  ],
])

/**
 * @param code `undefined` when the socket ended without an error.
 * @param until when WhatsApp has said that it ends by itself.
 */
export function ruleOf(code: number | undefined, until?: Date): DisconnectRule {
  const rule = (code === undefined ? undefined : DISCONNECT_RULES.get(code)) ?? wait
  if (rule.status !== 'restricted' || rule.problem === undefined || until === undefined) return rule
  const action = 'Nothing to do: it connects again by itself when the time is over.'
  return { ...rule, reaction: 'slow', problem: { ...rule.problem, action, until: until.toISOString() } }
}

/** No restriction lasts as long. */
const TEN_YEARS_S = 10 * 365 * 24 * 60 * 60

/**
 * When a restriction ends.
 *
 * @param expire as the refusal says it: seconds from now, as whatsmeow reads it, or an hour of the calendar.
 */
export function restrictionEnd(expire: string | undefined, nowMs: number): Date | undefined {
  const seconds = Number(expire)
  if (!(seconds > 0)) return undefined
  return new Date(seconds < TEN_YEARS_S ? nowMs + seconds * 1_000 : seconds * 1_000)
}

/**
 * Milliseconds before the attempt after `failures` failed ones in a row. Under ten attempts in the first five minutes
 * against a dead server, and never two sessions in step.
 *
 * @param random in [0, 1).
 */
export function reconnectDelayMs(reaction: 'backoff' | 'slow', failures: number, random: number): number {
  const [firstMs, capMs] = reaction === 'slow' ? [60_000, 15 * 60_000] : [1_000, 120_000]
  const fullMs = Math.min(capMs, firstMs * 2.2 ** Math.max(failures - 1, 0))
  return Math.round(fullMs * (0.75 + random / 2))
}
