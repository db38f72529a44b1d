/**
 * A process of its own with the embedded store open, for tests that kill it: accepts messages one after the other and
 * prints each WhatsApp id once it is acknowledged. Arguments: the store's folder, a prefix for the ids.
 */
import { parseLocationId, parseSessionId } from '../../src/core/ids.ts'
import { openStore } from '../../src/store/open-store.ts'
import { silentLog } from './silent-log.ts'

const [, , dataDir = '', prefix = ''] = process.argv
try {
  const { messages, sessions, leases, fences } = await openStore({
    dataDir,
    encryptionKeys: [Buffer.alloc(32, 7).toString('base64')],
    log: silentLog,
  })
  const place = { locationId: parseLocationId('loc-kill'), sessionId: parseSessionId('ses-kill') }
  await sessions.create(place)
  const { held } = await leases.tend({ node: `node ${process.pid}`, ttlMs: 600_000, isAlone: true })
  for (const lease of held) fences.grant(lease)
  process.stdout.write('open\n')
  for (let index = 0; ; index++) {
    const waMessageId = `${prefix}${index}`
    const message = {
      ...place,
      waMessageId,
      chat: `${index % 5}@lid`,
      author: `${index % 5}@lid`,
      fromMe: false,
      sentAt: new Date(),
      content: { kind: 'text', text: 'x'.repeat(500) },
    }
    await messages.acceptInbound(message as unknown as Parameters<typeof messages.acceptInbound>[0]) // ids of the right shape
    process.stdout.write(`${waMessageId}\n`)
  }
} catch (thrown) {
  process.stderr.write(JSON.stringify(thrown))
  process.exitCode = 1
}
