// node --import sandbox/preload.ts src/main.ts, with NODE_EXTRA_CA_CERTS naming the sandbox's authority.
import { installSandboxRedirects } from './redirects.ts'

function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is missing: start the WhatsApp sandbox first and pass what it prints`)
  return value
}

installSandboxRedirects({
  rootPublicKey: required('SANDBOX_WHATSAPP_ROOT_KEY'),
  mediaHost: required('SANDBOX_MEDIA_HOST'),
})
