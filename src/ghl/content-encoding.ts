/** What GHL compresses because a sibling's `Accept-Encoding` allowed it, for the few bodies that we must read as well. Pure. */
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib'

/** A refusal is some hundred bytes; whatever unpacks to more is none. */
const MAX_BYTES = 256 * 1024

const DECODERS: Readonly<Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Buffer>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
}

/** The body in clear; as it came when it is not compressed, or in no way that we know. */
export function decoded(bytes: Buffer, encoding: string | string[] | undefined): Buffer {
  const decode = DECODERS[String(encoding).trim().toLowerCase()]
  if (decode === undefined) return bytes
  try {
    return decode(bytes, { maxOutputLength: MAX_BYTES })
  } catch {
    return bytes
  }
}
