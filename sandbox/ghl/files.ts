/** Files the sandbox serves itself, at URLs as bare as GHL's: uploads, and what agents attach. */
import { extname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { documentId } from './ids.ts'
import type { SandboxParts } from './sandbox-parts.ts'

const CONTENT_TYPES: Record<string, string> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.gif': 'image/gif',
  '.svg': 'image/svg+xml',
  '.mp4': 'video/mp4',
  '.3gp': 'video/3gpp',
  '.mp3': 'audio/mpeg',
  '.wav': 'audio/wav',
  '.ogg': 'audio/ogg',
  '.m4a': 'audio/mp4',
  '.pdf': 'application/pdf',
  '.txt': 'text/plain',
  '.csv': 'text/csv',
  '.vcf': 'text/vcard',
  '.zip': 'application/zip',
}

/** Keeps the bytes and returns the URL under which they are served. */
export function hostFile(parts: SandboxParts, name: string, bytes: Uint8Array, contentType?: string): string {
  const file = {
    id: documentId(),
    name,
    contentType: contentType ?? contentTypeOf(name),
    bytes: Buffer.from(bytes),
  }
  parts.world.files.set(file.id, file)
  return `${parts.url}/_files/${file.id}/${encodeURIComponent(name)}`
}

export function contentTypeOf(name: string): string {
  return CONTENT_TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream'
}

export function addFileRoutes(server: FastifyInstance, parts: SandboxParts): void {
  server.get<{ Params: { fileId: string } }>('/_files/:fileId/:name', async (request, reply) => {
    const file = parts.world.files.get(request.params.fileId)
    if (!file) return reply.status(404).send({ statusCode: 404, message: 'File not found' })
    return reply
      .header('content-type', file.contentType)
      .header('x-content-type-options', 'nosniff')
      .header('content-security-policy', "sandbox; default-src 'none'")
      .send(file.bytes)
  })
}
