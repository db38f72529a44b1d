/** `/medias/*`: a location's library. The location is the token's: the upload itself does not name one. */
import { z } from 'zod'
import { type ApiAnswer, type ApiCall, type ApiRoute, checkLocation, locationIdOf } from '../api.ts'
import { contentTypeOf, hostFile } from '../files.ts'
import { objectId } from '../ids.ts'
import { type FilePart, readForm } from '../multipart.ts'
import { refuse, refuseFields } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { validated } from '../validation.ts'
import type { MediaFile } from '../world.ts'

/** How long the sandbox waits for a file that it is told to fetch. */
const FETCH_TIMEOUT_MS = 10_000

const text = z.string().optional()
const uploadFields = z.strictObject({
  hosted: z.enum(['true', 'false']).optional(),
  fileUrl: z.url({ protocol: /^https?$/ }).optional(),
  name: text,
  parentId: text,
})
const owner = { altType: z.literal('location'), altId: z.string().min(1) }
const listQuery = z.strictObject({
  ...owner,
  type: z.enum(['file', 'folder']),
  sortBy: z.string().min(1),
  sortOrder: z.enum(['asc', 'desc']),
  offset: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  query: text,
  parentId: text,
  fetchAll: text,
})
const ownerQuery = z.strictObject(owner)

export function mediaRoutes(parts: SandboxParts): ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/medias/upload-file',
      scope: 'medias.write',
      caller: 'location',
      handle: (call) => upload(parts, call),
    },
    {
      method: 'GET',
      path: '/medias/files',
      scope: 'medias.readonly',
      caller: 'location',
      handle: (call) => list(parts, call),
    },
    {
      method: 'DELETE',
      path: '/medias/:id',
      scope: 'medias.write',
      caller: 'location',
      handle(call) {
        const { altId } = validated(ownerQuery, call.query)
        checkLocation(call, altId)
        const id = call.params['id'] ?? ''
        if (parts.world.medias.get(id)?.locationId !== altId) throw refuse(404, 'File not found')
        parts.world.medias.delete(id)
        return { status: 200, body: { success: true } }
      },
    },
  ]
}

async function upload(parts: SandboxParts, call: ApiCall): Promise<ApiAnswer> {
  const { mediaMaxBytes, mediaMaxVideoBytes } = parts.settings
  const form = await readForm(parts, call, Math.max(mediaMaxBytes, mediaMaxVideoBytes))
  const { hosted, fileUrl, name, parentId } = validated(uploadFields, form.fields)
  checkPartNames(form.files)
  const file = hosted === 'true' ? await fetched(fileUrl) : form.files[0]
  if (!file) throw refuse(400, 'No file was sent in the part file')
  checkSize(parts, file)
  const media: MediaFile = {
    id: objectId(),
    locationId: locationIdOf(call),
    name: name ?? file.name,
    url: hostFile(parts, file.name, file.bytes, file.contentType),
    contentType: file.contentType,
    sizeBytes: file.bytes.length,
    parentId,
    createdAt: new Date(),
  }
  parts.world.medias.set(media.id, media)
  return { status: 200, body: { fileId: media.id, url: media.url } }
}

function checkPartNames(files: readonly FilePart[]): void {
  const strangers = files.map(({ partName }) => partName).filter((partName) => partName !== 'file')
  if (strangers.length > 0) {
    throw refuseFields(
      strangers.map((partName) => `property ${partName} should not exist`),
      strangers,
    )
  }
}

function checkSize({ settings }: SandboxParts, file: Pick<FilePart, 'bytes' | 'contentType'>): void {
  const isVideo = file.contentType.startsWith('video/')
  const maxBytes = isVideo ? settings.mediaMaxVideoBytes : settings.mediaMaxBytes
  if (file.bytes.length > maxBytes) {
    throw refuse(413, `File size exceeds the limit of ${Math.floor(maxBytes / 1024 ** 2)} MB`)
  }
}

/** A hosted file is fetched by GHL and kept, so the answer has a URL of GHL's own. */
async function fetched(
  fileUrl: string | undefined,
): Promise<Pick<FilePart, 'name' | 'bytes' | 'contentType'>> {
  if (fileUrl === undefined) throw refuseFields(['fileUrl should not be empty'])
  const response = await fetch(fileUrl, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) }).catch(
    () => undefined,
  )
  if (!response?.ok) throw refuse(400, 'The file could not be fetched from fileUrl')
  const name = decodeURIComponent(new URL(fileUrl).pathname.split('/').at(-1) ?? '') || 'file'
  return {
    name,
    bytes: Buffer.from(await response.arrayBuffer()),
    contentType: response.headers.get('content-type') ?? contentTypeOf(name),
  }
}

function list(parts: SandboxParts, call: ApiCall): ApiAnswer {
  const query = validated(listQuery, call.query)
  checkLocation(call, query.altId)
  const wanted = query.query?.toLowerCase() ?? ''
  const sign = query.sortOrder === 'asc' ? 1 : -1
  // There are no folders here.
  const files = query.type === 'folder' ? [] : [...parts.world.medias.values()]
  const found = files
    .filter(({ locationId }) => locationId === query.altId)
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .filter(({ parentId }) => query.parentId === undefined || parentId === query.parentId)
    .sort((a, b) => sign * (a.createdAt.getTime() - b.createdAt.getTime()))
  const shown = query.fetchAll === 'true' ? found : found.slice(query.offset, query.offset + query.limit)
  return { status: 200, body: { files: shown.map(mediaJson) } }
}

function mediaJson(media: MediaFile): Record<string, unknown> {
  return {
    _id: media.id,
    altId: media.locationId,
    altType: 'location',
    name: media.name,
    parentId: media.parentId,
    url: media.url,
    path: new URL(media.url).pathname,
    contentType: media.contentType,
    size: media.sizeBytes,
    createdAt: media.createdAt.toISOString(),
  }
}
