/** Forms with files, read whole: this is a sandbox, and its limits are small. */
import type { IncomingMessage } from 'node:http'
import busboy from 'busboy'
import type { ApiCall } from './api.ts'
import { rememberForm } from './exchanges.ts'
import { refuseUpload } from './refusal.ts'
import type { SandboxParts } from './sandbox-parts.ts'

export interface FilePart {
  partName: string
  name: string
  contentType: string
  bytes: Buffer
  tooLarge: boolean
}

interface Form {
  fields: Record<string, string>
  files: FilePart[]
}

/** @throws {Refusal} 400 when the body is no form, or a broken one. */
export async function readForm(parts: SandboxParts, call: ApiCall, maxFileBytes: number): Promise<Form> {
  const contentType = call.raw.headers['content-type'] ?? ''
  if (!contentType.startsWith('multipart/form-data')) {
    parts.callLog.note({ kind: 'wrong-content-type', route: call.route, detail: contentType || 'none' })
    throw refuseUpload(400, 'Multipart: the request must be multipart/form-data')
  }
  const form = await parseForm(call.raw, maxFileBytes)
  const shown = { ...form.fields }
  for (const { partName } of form.files) shown[partName] = '(file)'
  rememberForm(call.raw, shown)
  return form
}

function parseForm(request: IncomingMessage, maxFileBytes: number): Promise<Form> {
  return new Promise((resolve, reject) => {
    const form: Form = { fields: {}, files: [] }
    const malformed = () => reject(refuseUpload(400, 'Multipart: the form is malformed'))
    const parser = busboy({
      headers: request.headers,
      // One byte more than allowed tells a file that just fits from one that was cut.
      limits: { fileSize: maxFileBytes + 1 },
      defParamCharset: 'utf8',
    })
    parser.on('field', (name, value) => {
      form.fields[name] = value
    })
    parser.on('file', (partName, stream, info) => {
      const chunks: Buffer[] = []
      let sizeBytes = 0
      stream.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        sizeBytes += chunk.length
      })
      stream.on('end', () => {
        form.files.push({
          partName,
          name: info.filename ?? '',
          contentType: info.mimeType,
          bytes: Buffer.concat(chunks),
          tooLarge: sizeBytes > maxFileBytes,
        })
      })
    })
    parser.on('close', () => resolve(form))
    parser.on('error', malformed)
    request.on('aborted', malformed)
    request.pipe(parser)
  })
}
