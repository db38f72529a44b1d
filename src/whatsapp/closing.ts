/** The end of a connection, as it should be: heard out, and not waited for. */
import type { makeWASocket } from '@whiskeysockets/baileys'

/** A peer that is gone does not answer the close either; `ws` alone would wait half a minute. */
const CLOSE_GRACE_MS = 2_000
/** Decoding a stanza takes a fraction of this. */
const LAST_WORDS_MS = 50

/**
 * Lets the last stanza be read before the close behind it counts: Baileys decodes frames later than it hears of the close,
 * and then takes "replaced" or "unlinked" for a lost connection.
 */
export function hearLastWords(sock: ReturnType<typeof makeWASocket>): void {
  const handlers = sock.ws.listeners('close') as (() => void)[] // Baileys registers only such
  sock.ws.removeAllListeners('close')
  sock.ws.on('close', () => {
    setTimeout(() => {
      for (const handle of handlers) handle()
    }, LAST_WORDS_MS)
  })
}

/** Cuts the connection when the other side does not answer the close. */
export function closeInTime(sock: ReturnType<typeof makeWASocket>): void {
  const close = sock.ws.close.bind(sock.ws)
  sock.ws.close = async () => {
    const { socket } = sock.ws as unknown as { socket: { terminate(): void } | null } // protected, but all there is
    const timer = setTimeout(() => socket?.terminate(), CLOSE_GRACE_MS)
    await close().finally(() => {
      clearTimeout(timer)
    })
  }
}
