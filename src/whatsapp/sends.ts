/** Sends that wait for the server's ack on the wire: the only proof that WhatsApp took a message (whatsapp.md 1d). */
import type { BinaryNode } from '@whiskeysockets/baileys'
import { BridgeError, WhatsAppError } from '../core/errors.ts'
import { reachOutLocked } from './reach-out.ts'

/** Acks take well under a second; a server that has not answered by then may still have the message. */
const ACK_TIMEOUT_MS = 20_000

export class PendingSends {
  readonly #waiting = new Map<string, (outcome: BridgeError | undefined) => void>()
  #isOver = false

  /** Call for every raw `ack class=message`. */
  settle(ack: BinaryNode): void {
    const { id, error } = ack.attrs
    if (id !== undefined) this.#waiting.get(id)?.(error === undefined ? undefined : refusal(error))
  }

  /** The connection is gone: whatever was under way may have arrived. */
  abandon(): void {
    this.#isOver = true
    for (const settle of this.#waiting.values())
      settle(unknown('The connection to WhatsApp was lost while sending'))
  }

  /**
   * Runs `relay` and resolves with the server's ack of `id`.
   *
   * @throws {WhatsAppError} `WA_SEND_TIMEOUT` (unknown), `WA_OFFLINE` after `abandon`, or the refusal.
   */
  async send(id: string, relay: () => Promise<unknown>): Promise<void> {
    if (this.#isOver) throw new WhatsAppError('WA_OFFLINE', 'The WhatsApp number is not connected')
    const { promise, resolve } = Promise.withResolvers<BridgeError | undefined>()
    const timer = setTimeout(() => {
      resolve(unknown('WhatsApp has not acknowledged the message in time'))
    }, ACK_TIMEOUT_MS)
    this.#waiting.set(id, resolve)
    try {
      relay().catch((cause: unknown) => {
        // Baileys finds the connection closed before it writes; after any other failure the stanza may be out.
        resolve(
          isClosed(cause)
            ? notSent(cause)
            : unknown('It is not known whether the message reached WhatsApp', cause),
        )
      })
      const refused = await promise
      if (refused !== undefined) throw refused
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(id)
    }
  }
}

const unknown = (message: string, cause?: unknown): WhatsAppError =>
  new WhatsAppError('WA_SEND_TIMEOUT', message, { certainty: 'unknown', cause })

/** The status code of a Boom, the error class of Baileys; undefined for anything else. */
export function statusCodeOf(error: unknown): number | undefined {
  const output = error instanceof Error && 'output' in error ? error.output : undefined
  const code =
    typeof output === 'object' && output !== null && 'statusCode' in output ? output.statusCode : undefined
  return typeof code === 'number' ? code : undefined
}

/** Baileys throws 428 on a closed socket; its queries reject with the web socket's bare close code. */
const isClosed = (cause: unknown): boolean => typeof cause === 'number' || statusCodeOf(cause) === 428

const WRITE_FAILURES = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT'])

/**
 * True for what Baileys rejects with when a connection ends under a write that it does not watch (its answer to
 * `offline_preview`, for one). The end itself is heard and handled by the session; such a rejection means nothing more.
 */
export function isLostConnection(thrown: unknown): boolean {
  if (isClosed(thrown)) return true
  return thrown instanceof Error && 'code' in thrown && WRITE_FAILURES.has(String(thrown.code))
}

/** Whatever failed before a message was on the wire, in our words. Errors of ours stay what they are. */
export function notSent(cause: unknown): BridgeError {
  if (cause instanceof BridgeError) return cause
  if (isClosed(cause)) {
    return new WhatsAppError('WA_OFFLINE', 'The connection to WhatsApp was lost before anything was sent', {
      cause,
    })
  }
  return new WhatsAppError('WA_SEND_TIMEOUT', 'WhatsApp did not answer, so nothing was sent', { cause })
}

/** By the error code of the ack. @see whatsapp.md 1d */
function refusal(ackError: string): WhatsAppError {
  const details = { ackError }
  switch (ackError) {
    case '463':
      return reachOutLocked(undefined, ackError)
    case '479':
      return new WhatsAppError('WA_DEVICES_STALE', 'The list of the recipient’s devices was out of date', {
        details,
      })
    case '429':
    case '503':
      return new WhatsAppError(
        'WA_SEND_TIMEOUT',
        'WhatsApp takes no messages from this number at the moment',
        {
          details,
          retryAfterMs: 60_000,
        },
      )
    default:
      return new WhatsAppError('WA_SEND_REJECTED', `WhatsApp refused the message (error ${ackError})`, {
        details,
        action: 'Look at the number on the phone, then send it again.',
      })
  }
}
