/** `POST /conversations/messages/upload`: multipart, one part name, 5 MB, a list of extensions. */
import { extname } from 'node:path'
import { z } from 'zod'
import { type ApiCall, type ApiRoute, checkLocation } from '../api.ts'
import { hostFile } from '../files.ts'
import { type FilePart, readForm } from '../multipart.ts'
import { refuse, refuseFields, refuseUpload } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { validated } from '../validation.ts'

const MAX_FILE_BYTES = 5 * 1024 * 1024
const MAX_FILES = 5
const FILE_PART = 'fileAttachment'

const EXTENSIONS = new Set(
  (
    'jpg jpeg png gif svg heic ai mp4 mpeg 3gp mp3 wav wave aiff aif aifc gsm ulaw ogg aac m4a amr ' +
    'pdf doc docx txt csv xls xlsx ppt pptx odt zip rar vcf vcard ics'
  ).split(' '),
)

const text = z.string().optional()
const uploadFields = z.strictObject({
  locationId: z.string().min(1),
  conversationId: text,
  contactId: text,
  attachmentUrls: text,
  workflowId: text,
  campaignId: text,
  chatServiceSid: text,
  isGroupSms: text,
})

export function uploadRoutes(parts: SandboxParts): ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/conversations/messages/upload',
      scope: 'conversations/message.write',
      caller: 'location',
      async handle(call) {
        const form = await readForm(parts, call, MAX_FILE_BYTES)
        checkFiles(form.files)
        checkTarget(parts, call, validated(uploadFields, form.fields))
        // One entry per name: files of one name in one call overwrite each other, as in the real answer.
        const uploadedFiles = Object.fromEntries(
          form.files.map((file) => [file.name, hostFile(parts, file.name, file.bytes, file.contentType)]),
        )
        return { status: 201, body: { uploadedFiles } }
      },
    },
  ]
}

function checkFiles(files: readonly FilePart[]): void {
  const strangers = files.filter((file) => file.partName !== FILE_PART).map((file) => file.partName)
  if (strangers.length > 0) {
    throw refuseFields(
      strangers.map((name) => `property ${name} should not exist`),
      strangers,
    )
  }
  if (files.length === 0) throw refuseUpload(400, `No file in the part ${FILE_PART}`)
  if (files.length > MAX_FILES) throw refuseUpload(400, `At most ${MAX_FILES} files`)
  for (const file of files) {
    if (file.tooLarge) throw refuseUpload(413, 'File size exceeds the limit of 5 MB')
    const extension = extname(file.name).slice(1).toLowerCase()
    if (!EXTENSIONS.has(extension))
      throw refuseUpload(415, `File type ${extension || 'without extension'} is not supported`)
  }
}

function checkTarget(parts: SandboxParts, call: ApiCall, fields: z.infer<typeof uploadFields>): void {
  checkLocation(call, fields.locationId)
  const { conversationId, contactId } = fields
  if (conversationId === undefined && contactId === undefined) {
    throw refuseFields(['conversationId should not be empty', 'contactId should not be empty'])
  }
  const conversation = parts.world.conversations.get(conversationId ?? '')
  if (conversationId !== undefined && conversation?.locationId !== fields.locationId) {
    throw refuse(500, `Conversation with id ${conversationId} not found`)
  }
  const contact = parts.world.contacts.get(contactId ?? '')
  if (contactId !== undefined && contact?.locationId !== fields.locationId) {
    throw refuse(400, `Contact with id ${contactId} not found`)
  }
}
