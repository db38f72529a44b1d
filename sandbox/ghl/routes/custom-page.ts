/** A custom page as GHL shows it: the app's page in a frame that learns who is looking when it asks (ghl.md 9). */
import type { FastifyInstance } from 'fastify'
import { html, trusted } from '../inbox/html.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { ssoPayload } from '../sso.ts'

interface PageRequest {
  Params: { locationId: string }
  Querystring: { url?: string; role?: 'admin' | 'user' }
}

const style = `body{margin:0;height:100dvh;display:grid;grid-template:auto 1fr/auto 1fr;font:15px system-ui,sans-serif}
header{grid-column:1/-1;padding:.6rem 1rem;background:#1d2939;color:#fff}nav{width:9rem;padding:1rem;background:#101828;color:#98a2b3}
nav b{color:#fff}iframe{width:100%;height:100%;border:0}@media(max-width:600px){body{grid-template-columns:1fr}nav{display:none}}`

// The payload is asked for each time: the page asks again before its own token ends.
const script = `addEventListener('message', async ({ source, data }) => {
  const frame = document.querySelector('iframe').contentWindow
  if (source !== frame || data?.message !== 'REQUEST_USER_DATA') return
  const answer = await fetch(location.pathname + '/payload' + location.search)
  frame.postMessage({ message: 'REQUEST_USER_DATA_RESPONSE', payload: (await answer.json()).payload }, '*')
})`

export function addCustomPageRoutes(server: FastifyInstance, parts: SandboxParts): void {
  server.get<PageRequest>('/custom-page/:locationId', async ({ params, query }, reply) => {
    const location = parts.world.locations.get(params.locationId)
    const url = (query.url ?? '').replaceAll('{{location.id}}', params.locationId)
    return reply.type('text/html; charset=utf-8').send(
      html`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${location?.name} - GoHighLevel sandbox</title><style>${trusted(style)}</style>
<header>${location?.name}</header><nav>Conversations<br>Contacts<br><b>WhatsApp</b></nav>
<iframe title="WhatsApp" src="${url}" allow="clipboard-write"></iframe>
<script type="module">${trusted(script)}</script></html>`.html,
    )
  })

  server.get<PageRequest>('/custom-page/:locationId/payload', async ({ params, query }) => ({
    payload: ssoPayload(parts, { locationId: params.locationId, role: query.role }),
  }))
}
