/**
 * A connection that is still read when it can no longer be written to. Whoever refuses an upload by its size answers before
 * its end and hangs up; what is sent on then fails, and the answer would go down with the connection although it is here.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { buildConnector } from 'undici'

type Connector = ReturnType<typeof buildConnector>
type Written = (error?: Error | null) => void

const HAS_HUNG_UP = new Set(['EPIPE', 'ECONNRESET'])

/** As undici's own connector. */
export function connectorOf(timeoutMs: number): Connector {
  const connect = buildConnector({ timeout: timeoutMs, allowH2: false })
  return (options, callback) => {
    connect(options, (...[error, socket]) => {
      if (error !== null) callback(error, null)
      else callback(null, hearingToTheEnd(socket))
    })
  }
}

/** A failed write counts as done: the end of what can be read, which comes now, says how the call went. */
function hearingToTheEnd<S extends Socket>(socket: S): S {
  const through =
    (written: Written): Written =>
    (error) => {
      const code = error != null && 'code' in error ? String(error.code) : ''
      written(HAS_HUNG_UP.has(code) ? null : error)
    }
  const duplex: Duplex = socket
  const write = duplex._write.bind(socket)
  duplex._write = (chunk, encoding, written) => {
    write(chunk, encoding, through(written))
  }
  const writeMany = duplex._writev?.bind(socket)
  if (writeMany !== undefined) {
    duplex._writev = (chunks, written) => {
      writeMany(chunks, through(written))
    }
  }
  return socket
}
