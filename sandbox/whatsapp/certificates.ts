// Two chains, both made at run time and trusted by nobody else: the Noise chain (root, intermediate, leaf) that
// proves the WebSocket server, and the TLS chain (authority, leaf) of the media host.
import { randomUUID } from 'node:crypto'
import { Curve, type KeyPair, proto } from '@whiskeysockets/baileys'
import { generate } from 'selfsigned'

const INTERMEDIATE_SERIAL = 1
const LEAF_SERIAL = 2
const YEAR_SECONDS = 365 * 24 * 3600

export interface NoiseIdentity {
  readonly rootPublicKey: Uint8Array
  readonly staticKey: KeyPair
  /** Encoded CertChain, ready for the server hello. */
  readonly chain: Uint8Array
}

function certify(issuer: KeyPair, details: proto.CertChain.NoiseCertificate.IDetails) {
  const now = Math.floor(Date.now() / 1000)
  const bytes = proto.CertChain.NoiseCertificate.Details.encode({
    ...details,
    notBefore: now - 60,
    notAfter: now + YEAR_SECONDS,
  }).finish()
  return { details: bytes, signature: Curve.sign(issuer.private, bytes) }
}

export function issueNoiseIdentity(): NoiseIdentity {
  const root = Curve.generateKeyPair()
  const intermediate = Curve.generateKeyPair()
  const staticKey = Curve.generateKeyPair()
  const chain = proto.CertChain.encode({
    // Issuer 0 is the root that the client has pinned.
    intermediate: certify(root, { serial: INTERMEDIATE_SERIAL, issuerSerial: 0, key: intermediate.public }),
    leaf: certify(intermediate, {
      serial: LEAF_SERIAL,
      issuerSerial: INTERMEDIATE_SERIAL,
      key: staticKey.public,
    }),
  }).finish()
  return { rootPublicKey: root.public, staticKey, chain }
}

export interface TlsIdentity {
  readonly caPem: string
  readonly certPem: string
  readonly keyPem: string
}

export async function issueTlsIdentity(dnsNames: readonly string[]): Promise<TlsIdentity> {
  // A name of its own: with two authorities of one name in a trust store, verification picks the wrong one.
  const name = `WhatsApp sandbox authority ${randomUUID()}`
  const authority = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  const leaf = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...dnsNames.map((value) => ({ type: 2 as const, value })),
          { type: 7 as const, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  return { caPem: authority.cert, certPem: leaf.cert, keyPem: leaf.private }
}
