/** A person's way back from GHL, when it goes well and when it does not. */
import { afterEach, expect, it } from 'vitest'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'

let app: GhlApp
afterEach(async () => {
  await app.stop()
})

const browse = async (path: string, language = 'en-US,en;q=0.9') => {
  const answer = await fetch(`${app.nodes[0]?.url}${path}`, {
    headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'accept-language': language },
    redirect: 'manual',
  })
  return {
    status: answer.status,
    type: answer.headers.get('content-type') ?? '',
    text: await answer.text(),
  }
}
const statusOf = async (locationId: string) =>
  (await app.call<{ locations: { status: string }[] }>('GET', `/api/ghl/locations?locationId=${locationId}`))
    .body.locations[0]?.status

it('while GHL is down it says so, and loading the page again goes on with the same link', async () => {
  app = await startGhlApp()
  const id = app.sandbox.addLocation().id
  const { code, state } = await app.codeFor({ location: id })
  const path = `/oauth/callback?code=${code}&state=${state}`
  const down = { kind: 'status', status: 503, body: { message: '<b>maintenance</b>' } } as const
  app.sandbox.faults.add({ route: 'POST /oauth/token', times: null, effect: down })
  const failed = await browse(path)
  expect([failed.status, failed.type]).toEqual([502, 'text/html; charset=utf-8'])
  expect(failed.text).toContain('<h1>Not installed</h1>')
  expect(failed.text).not.toContain('<b>')
  app.sandbox.faults.clear()
  expect((await browse(path)).status).toBe(200)
  expect(await statusOf(id)).toBe('connected')
  // Used up by now.
  const again = await browse(path)
  expect([again.status, again.text.includes('used already')]).toEqual([400, true])
})

it('a person who says no, or comes with a code that is none, reads what to do; a program gets JSON', async () => {
  app = await startGhlApp()
  for (const query of [
    'error=access_denied',
    'code=none-of-ghl',
    'code=c&state=not-ours',
    `code=${'x'.repeat(2_001)}`,
  ]) {
    const page = await browse(`/oauth/callback?${query}`)
    expect([query, page.status, page.type]).toEqual([query, 400, 'text/html; charset=utf-8'])
    const program = await app.call<{ error: { code: string } }>('GET', `/ghl/callback?${query}`, {
      as: 'nobody',
    })
    expect([program.status, typeof program.body.error.code]).toEqual([400, 'string'])
  }
  expect((await browse('/oauth/callback?error=access_denied')).text).toContain(
    'The installation was not agreed to. Start again with <a href="/oauth/install">/oauth/install</a>.',
  )
})

it('begun on GHL’s own marketplace page there is no state, and the installation is good all the same', async () => {
  app = await startGhlApp()
  const id = app.sandbox.addLocation().id
  const { code } = await app.codeFor({ location: id })
  const page = await browse(`/oauth/callback?code=${code}`)
  expect([page.status, page.text.includes('<h1>Installed</h1>')]).toEqual([200, true])
  expect(await statusOf(id)).toBe('connected')
})

it.each([
  ['es-MX,es;q=0.9,en;q=0.8', 'es', 'Instalado', 'conectado a su subcuenta', 'No instalado', 'ya se usó'],
  [
    'fr;q=0.9, en;q=0.4, pt;q=0.7',
    'pt-BR',
    'Instalado',
    'conectada à sua subconta',
    'Não instalado',
    'já foi usado',
  ],
  ['de-DE,de', 'en', 'Installed', 'connected to your sub-account', 'Not installed', 'used already'],
  ['', 'en', 'Installed', 'connected to your sub-account', 'Not installed', 'used already'],
])(
  'speaks the browser’s language (%s), also when it goes wrong',
  async (asked, spoken, title, done, wrong, used) => {
    app = await startGhlApp()
    const id = app.sandbox.addLocation().id
    const { code, state } = await app.codeFor({ location: id })
    const path = `/oauth/callback?code=${code}&state=${state}`
    const down = { kind: 'status', status: 503, body: { message: '<b>maintenance</b>' } } as const
    app.sandbox.faults.add({ route: 'POST /oauth/token', times: null, effect: down })
    const failed = await browse(path, asked)
    expect([failed.status, failed.text.includes(`<h1>${wrong}</h1>`)]).toEqual([502, true])
    app.sandbox.faults.clear()
    const page = await browse(path, asked)
    expect(page.text).toContain(`<html lang="${spoken}">`)
    expect(page.text).toContain(`<h1>${title}</h1>`)
    expect(page.text).toContain(done)
    const again = await browse(path, asked)
    expect(again.text).toContain(used)
    expect(again.text).toContain('<a href="/oauth/install">/oauth/install</a>')
    const refused = await browse('/oauth/callback?error=access_denied', asked)
    expect([refused.status, refused.text.includes('agreed to')]).toEqual([400, spoken === 'en'])
  },
)
