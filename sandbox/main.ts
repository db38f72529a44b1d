/** `npm run sandbox`: both fakes stand-alone, and the environment that points a server at them. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGhlSandbox } from './ghl/ghl-sandbox.ts'
import { sandboxEnvironment } from './stage.ts'
import { startWhatsAppSandbox } from './whatsapp/index.ts'

const PORT = Number(process.env['PORT'] ?? 8080)

const folder = await mkdtemp(join(tmpdir(), 'ghl-whatsapp-sandbox-'))
const caFile = join(folder, 'sandbox-ca.pem')
const whatsapp = await startWhatsAppSandbox({ caFile })
const ghl = await startGhlSandbox({
  redirectUris: [`http://localhost:${PORT}/oauth/callback`],
  deliveryUrl: `http://localhost:${PORT}/ghl/provider/webhook`,
  webhookUrl: `http://localhost:${PORT}/ghl/webhook`,
})
const location = ghl.addLocation({ name: 'Dental Care' })
whatsapp.addAccount({ phone: '15550009999', name: 'Dental Care' })
whatsapp.addAccount({ phone: '15551230001', name: 'Ana' })

const environment = Object.entries(sandboxEnvironment({ whatsapp, ghl, caFile })).map(
  ([name, value]) => `${name}=${value}`,
)
process.stdout.write(
  `GHL inbox:      ${ghl.url}/\nGHL control:    ${ghl.url}/_sandbox/info\nWhatsApp phones: ${whatsapp.controlUrl}/stats\n` +
    `Sub-account:    ${location.id}\nPhones:         15550009999 (owner), 15551230001 (customer)\n\n` +
    `Start a server on port ${PORT} with them:\n\n${environment.join(' \\\n')} \\\nPORT=${PORT} ` +
    'node_modules/.bin/node --liftoff-only --import ./sandbox/preload.ts src/main.ts\n\nCtrl-C stops both.\n',
)
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
await Promise.all([ghl.stop(), whatsapp.stop()])
await rm(folder, { recursive: true, force: true })
