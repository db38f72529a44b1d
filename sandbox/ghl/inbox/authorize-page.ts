/** The page where the person who installs the app chooses a location. */
import type { SandboxParts } from '../sandbox-parts.ts'
import { html, type Markup } from './html.ts'
import { document } from './layout.ts'

export function choosePage(parts: SandboxParts, query: Record<string, string | undefined>): string {
  const locations = [...parts.world.locations.values()]
  const scopes = (query['scope'] ?? '').split(/\s+/)
  const body = html`<main class="card">
  <p class="eyebrow">GoHighLevel sandbox</p>
  <h1>Choose a location</h1>
  <p class="muted">The app asks for ${scopes.length} permissions in the location you choose.</p>
  <div class="choices">
    ${locations.map((location) => choice(query, { location_id: location.id }, location.name, location.id))}
    ${choice(query, { company: '1' }, 'The whole agency', 'installs in every location')}
    ${choice(query, { company: '1', future: '1' }, 'The whole agency, always', 'also in locations added later')}
  </div>
  <details><summary>Permissions</summary><ul>${scopes.map((scope) => html`<li><code>${scope}</code></li>`)}</ul></details>
</main>`
  return document('Choose a location', 'plain', body)
}

export function errorPage(reason: string): string {
  return document(
    'Cannot install',
    'plain',
    html`<main class="card"><p class="eyebrow">GoHighLevel sandbox</p><h1>This install link does not work</h1><p>${reason}</p></main>`,
  )
}

function choice(
  query: Record<string, string | undefined>,
  chosen: Record<string, string>,
  title: string,
  note: string,
): Markup {
  const link = new URLSearchParams({ ...definedOf(query), ...chosen, approve: '1' })
  return html`<a class="choice" href="?${link.toString()}"><strong>${title}</strong><span class="muted">${note}</span></a>`
}

function definedOf(query: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
