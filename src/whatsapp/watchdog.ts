/**
 * A socket can be open and deaf: pings of the library answered or not, nothing delivered (whatsapp.md 1d). After a time
 * without any stanza from the server (answers to queries do not count) we ask it something ourselves.
 */
import type { BinaryNode, makeWASocket } from '@whiskeysockets/baileys'

export interface SilenceLimits {
  /** Without a stanza for this long, the server is asked. */
  readonly quietMs: number
  /** It has this long to answer. */
  readonly probeMs: number
}

export const SILENCE_LIMITS: SilenceLimits = { quietMs: 60_000, probeMs: 10_000 }

/**
 * Watches from now on.
 *
 * @param onDeaf called once, when a probe was not answered.
 * @returns ends the watch.
 */
export function watchSilence(
  sock: Pick<ReturnType<typeof makeWASocket>, 'ws' | 'query'>,
  { quietMs, probeMs }: SilenceLimits,
  onDeaf: () => void,
): () => void {
  let isOver = false
  const probe = async (): Promise<void> => {
    const isHeard = await answers(sock, probeMs)
    if (isOver) return
    if (isHeard) timer.refresh()
    else onDeaf()
  }
  const timer = setTimeout(() => void probe(), quietMs)
  const onFrame = (frame: BinaryNode | Uint8Array): void => {
    if (!(frame instanceof Uint8Array) && frame.tag !== 'iq') timer.refresh()
  }
  sock.ws.on('frame', onFrame)
  return () => {
    isOver = true
    clearTimeout(timer)
    sock.ws.off('frame', onFrame)
  }
}

async function answers(
  sock: Pick<ReturnType<typeof makeWASocket>, 'query'>,
  probeMs: number,
): Promise<boolean> {
  const ping: BinaryNode = {
    tag: 'iq',
    attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' },
    content: [{ tag: 'ping', attrs: {} }],
  }
  try {
    // Baileys' query resolves with nothing when its time is over.
    return (await sock.query(ping, probeMs)) !== undefined
  } catch {
    return false
  }
}
