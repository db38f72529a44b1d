// Points a process at the sandbox without a switch in the product: WhatsApp's pinned root becomes the sandbox's
// root, connections to WhatsApp's media hosts go to the sandbox's, TLS verification stays on with the sandbox's
// authority added, and every other name that is not loopback is refused, so that no test reaches a live host.
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { isIP } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { promisify } from 'node:util'
import { WA_CERT_DETAILS } from '@whiskeysockets/baileys'
import { Agent, buildConnector, setGlobalDispatcher } from 'undici'

/** Encrypted media, and profile pictures. */
const MEDIA_HOSTS = new Set(['mmg.whatsapp.net', 'pps.whatsapp.net'])

export interface SandboxRedirects {
  /** Noise root of the sandbox, hex or base64. */
  readonly rootPublicKey: string
  /** host:port of the sandbox's media host. */
  readonly mediaHost: string
  /** Needed only where NODE_EXTRA_CA_CERTS was not given to the process. */
  readonly caPem?: string
}

/** A connection was about to leave this machine. */
class LiveHostRefusedError extends Error {
  readonly code = 'LIVE_HOST_REFUSED'

  constructor(host: string) {
    super(`${host} is not loopback; a process under the sandbox may only talk to this machine`)
    this.name = 'LiveHostRefusedError'
  }
}

function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  if (isIP(bare) === 4) return bare.startsWith('127.')
  return bare === '::1' || bare === 'localhost' || bare.endsWith('.localhost')
}

function sandboxConnector(mediaHost: string): buildConnector.connector {
  const connect = buildConnector({})
  const [hostname = '127.0.0.1', port = ''] = mediaHost.split(':')
  return (options, callback) => {
    if (MEDIA_HOSTS.has(options.hostname)) {
      // The certificate is still checked against the name that was asked for.
      connect({ ...options, host: mediaHost, hostname, port, servername: options.hostname }, callback)
    } else if (isLoopback(options.hostname)) connect(options, callback)
    else callback(new LiveHostRefusedError(options.hostname), null)
  }
}

/** Node's own http, https and net resolve names through `dns.lookup`; those that leave the machine fail there. */
function refuseLiveNames(): void {
  // The CommonJS object is the one Node's internals read.
  const dns = createRequire(import.meta.url)('node:dns') as typeof import('node:dns')
  const lookup = dns.lookup
  const lookupPromise = dns.promises.lookup
  const guarded = (hostname: string, ...rest: unknown[]): unknown => {
    const callback = rest.at(-1)
    if (isLoopback(hostname) || typeof callback !== 'function') {
      return Reflect.apply(lookup, dns, [hostname, ...rest])
    }
    process.nextTick(callback, new LiveHostRefusedError(hostname))
    return {}
  }
  const guardedPromise = async (hostname: string, ...rest: unknown[]): Promise<unknown> => {
    if (!isLoopback(hostname)) throw new LiveHostRefusedError(hostname)
    return await Reflect.apply(lookupPromise, dns.promises, [hostname, ...rest])
  }
  Object.assign(dns.promises, { lookup: guardedPromise })
  Object.assign(dns, { lookup: Object.assign(guarded, { [promisify.custom]: guardedPromise }) })
  syncBuiltinESMExports()
}

export function installSandboxRedirects({ rootPublicKey, mediaHost, caPem }: SandboxRedirects): void {
  const encoding = /^[0-9a-f]{64}$/i.test(rootPublicKey) ? 'hex' : 'base64'
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(rootPublicKey, encoding)
  if (caPem !== undefined) setDefaultCACertificates([...getCACertificates('default'), caPem])
  // Also what Node's global fetch uses: undici keeps the slot of the bundled version filled.
  setGlobalDispatcher(new Agent({ connect: sandboxConnector(mediaHost) }))
  refuseLiveNames()
}
