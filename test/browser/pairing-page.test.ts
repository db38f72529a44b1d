/** The pairing link in a real browser, on a phone-sized screen, against the real server. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { barriers, fits, type Look, type OpenBrowser, openBrowser } from '../support/browser.ts'

const OWNER = '15550009999'
const STRANGER = '15550008888'
const PHONE_SIZED: Look = { width: 360, height: 740 }

describe('the pairing page', () => {
  let stage: Stage
  let browser: OpenBrowser
  let locationId: string

  beforeAll(async () => {
    stage = await Stage.set()
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: STRANGER, name: 'Somebody else' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    browser = await openBrowser()
  })
  afterEach(async () => {
    await browser.clear()
    // A phone is linked once per location.
    const path = `/ghl/location/${locationId}/session`
    const { sessions } = (await (await stage.bridge.operator('GET', path)).json()) as {
      sessions: { id: string }[]
    } // our own contract
    for (const { id } of sessions) await stage.bridge.operator('DELETE', `${path}/${id}`)
  })
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  async function open(sessionId: string, look: Look = PHONE_SIZED) {
    const path = `/ghl/location/${locationId}/session/${sessionId}/pairing-link`
    const made = await stage.bridge.operator('POST', path)
    const watched = await browser.page(look)
    await watched.page.goto(((await made.json()) as { url: string }).url) // our own contract
    return watched
  }

  it('shows a QR to scan, then that the number is connected, then that it was unlinked, without a reload', async () => {
    const sessionId = await stage.createSession(locationId)
    const { page, complaints } = await open(sessionId)
    await page.getByRole('heading', { name: 'Scan this code with WhatsApp' }).waitFor()
    const qr = page.getByRole('img', { name: 'QR code to scan with WhatsApp' })
    expect((await qr.boundingBox())?.width).toBeGreaterThan(250)
    expect(await fits(page)).toBe(true)
    expect(await page.locator('.countdown').textContent()).toMatch(/Good for [01]:\d\d/)
    await browser.keep(page, 'pairing-qr')

    // What is drawn is what a camera reads.
    await stage.whatsapp.scan(OWNER, (await qr.getAttribute('data-qr')) ?? '')
    await page.getByRole('heading', { name: 'Connected', exact: true }).waitFor()
    expect(await page.getByRole('main').innerText()).toContain('+1\u00a0555\u00a0000\u00a09999 is linked')
    expect(await qr.count()).toBe(0)

    stage.whatsapp.unlink(OWNER)
    await page.getByText('This number was unlinked.').waitFor()
    await browser.keep(page, 'pairing-unlinked')
    await page.getByRole('button', { name: 'Show a new code' }).click()
    await qr.waitFor()
    expect(complaints).toEqual([])
  })

  it('draws the QR anew when WhatsApp retires it, and that one works', async () => {
    const sessionId = await stage.createSession(locationId)
    const { page } = await open(sessionId)
    const qr = page.locator('[data-qr]')
    const first = (await qr.getAttribute('data-qr')) ?? ''
    stage.whatsapp.refreshRegistration(first)
    await expect.poll(() => qr.getAttribute('data-qr')).not.toBe(first)
    await stage.whatsapp.scan(OWNER, (await qr.getAttribute('data-qr')) ?? '')
    await page.getByRole('heading', { name: 'Connected', exact: true }).waitFor()
  })

  it('gives a code to type on the phone that shows the page', async () => {
    const sessionId = await stage.createSession(locationId)
    const { page, complaints } = await open(sessionId)
    await page.getByText('Can’t scan? Use a code').click()
    await page.getByRole('button', { name: 'Get a code' }).click()
    await page.getByText('This cannot be a phone number').waitFor()
    await page.getByLabel('Country').selectOption('US')
    await page.getByLabel('The number of that WhatsApp').fill('555 000-9999')
    await page.getByRole('button', { name: 'Get a code' }).click()
    await page.getByRole('heading', { name: 'Type this code on your phone' }).waitFor()
    const shown = (await page.locator('output.code').textContent()) ?? ''
    expect(shown).toMatch(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/)
    await browser.keep(page, 'pairing-code')
    await stage.whatsapp.enterPairingCode(OWNER, shown.replace('-', ''))
    await page.getByRole('heading', { name: 'Connected', exact: true }).waitFor()
    expect(complaints).toEqual([])
  })

  it('refuses another number than the expected one, and says so', async () => {
    const sessionId = await stage.createSession(locationId, { expectedPhone: `+${OWNER}` })
    const { page } = await open(sessionId)
    await page.getByText('This is for +1 555 000 9999').waitFor()
    const qr = page.locator('[data-qr]')
    await stage.whatsapp.scan(STRANGER, (await qr.getAttribute('data-qr')) ?? '')
    await page.getByText('Another number was scanned, so it was unlinked again.').waitFor()
    expect(stage.whatsapp.stats().logouts.some(({ phone }) => phone === STRANGER)).toBe(true)
    await browser.keep(page, 'pairing-wrong-number')
    await page.getByRole('button', { name: 'Show a new code' }).click()
    await stage.whatsapp.scan(OWNER, (await qr.getAttribute('data-qr')) ?? '')
    await page.getByRole('heading', { name: 'Connected', exact: true }).waitFor()
  })

  it('comes back by itself after the server was away', async () => {
    const sessionId = await stage.createSession(locationId)
    const { page } = await open(sessionId)
    const qr = page.locator('[data-qr]')
    await qr.waitFor()
    await stage.bridge.stop()
    await page.getByText('The connection is interrupted').waitFor()
    await stage.bridge.start()
    await page.getByText('The connection is interrupted').waitFor({ state: 'hidden' })
    await page.getByRole('heading', { name: 'Scan this code with WhatsApp' }).waitFor()
  }, 60_000)

  it.each(['light', 'dark'] as const)('has no barrier for anybody, in %s', async (colorScheme) => {
    const sessionId = await stage.createSession(locationId)
    const { page } = await open(sessionId, { ...PHONE_SIZED, colorScheme })
    await page.locator('[data-qr]').waitFor()
    for (const summary of await page.locator('summary').all()) await summary.click()
    expect(await barriers(page)).toEqual([])
    await browser.keep(page, `pairing-${colorScheme}`)
  })

  it('counts down by no clock of the reader’s, and the bar with it', async () => {
    const sessionId = await stage.createSession(locationId)
    const path = `/ghl/location/${locationId}/session/${sessionId}/pairing-link`
    const made = await stage.bridge.operator('POST', path)
    const { page } = await browser.page(PHONE_SIZED)
    await page.addInitScript('{ const now = Date.now; Date.now = () => now() + 90 * 60_000 }')
    await page.goto(((await made.json()) as { url: string }).url) // our own contract
    await page.locator('[data-qr]').waitFor()
    const left = async () => Number(await page.locator('.countdown progress').getAttribute('value'))
    const whole = Number(await page.locator('.countdown progress').getAttribute('max'))
    const first = await left()
    expect([first > 5, first <= whole, whole <= 60]).toEqual([true, true, true])
    await expect.poll(left, { timeout: 5_000 }).toBeLessThan(first)
    expect(await page.locator('.countdown').textContent()).toMatch(/^Good for [01]:\d\d$/)
  })

  it.each(['', '/', `/${'A'.repeat(32)}/more`, `/${'A'.repeat(3_000)}`])(
    'is a page to read, whatever became of the link: /pair%s',
    async (rest) => {
      const { page } = await browser.page(PHONE_SIZED)
      const answer = await page.goto(`${stage.bridge.url}/pair${rest}`)
      expect(answer?.status()).toBe(410)
      await page.getByRole('heading', { name: 'This link has expired' }).waitFor()
    },
  )

  it('opens a link that was copied with a slash, in a browser whose languages are none', async () => {
    const sessionId = await stage.createSession(locationId)
    const path = `/ghl/location/${locationId}/session/${sessionId}/pairing-link`
    const made = await stage.bridge.operator('POST', path)
    const { page } = await browser.page(PHONE_SIZED)
    await page.addInitScript(
      `Object.defineProperty(navigator, 'languages', { get: () => ['en-US@posix', 'c'] })`,
    )
    await page.goto(`${((await made.json()) as { url: string }).url}/`) // our own contract
    await page.locator('[data-qr]').waitFor()
  })

  it('says in the reader’s language that a link is dead', async () => {
    const { page } = await browser.page({ ...PHONE_SIZED, locale: 'pt-BR' })
    const answer = await page.goto(`${stage.bridge.url}/pair/${'A'.repeat(32)}`)
    expect(answer?.status()).toBe(410)
    await page.getByRole('heading', { name: 'Este link expirou' }).waitFor()
    await page.getByLabel('Idioma').selectOption('es')
    await page.getByRole('heading', { name: 'Este enlace ha caducado' }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('es')
    await page.reload()
    await page.getByRole('heading', { name: 'Este enlace ha caducado' }).waitFor()
  })

  it.each([
    ['/pair/x', ['Conectar o WhatsApp', 'Conectar WhatsApp', 'Connect WhatsApp']],
    ['/app', ['WhatsApp', 'WhatsApp', 'WhatsApp']],
    ['/console', ['Console do WhatsApp', 'Consola de WhatsApp', 'WhatsApp console']],
  ])('and all others are named in the reader’s language in the browser’s tab: %s', async (path, titles) => {
    const { page } = await browser.page({ ...PHONE_SIZED, locale: 'pt-BR' })
    await page.goto(`${stage.bridge.url}${path}`)
    for (const [n, [label, next]] of [
      ['Idioma', 'es'],
      ['Idioma', 'en'],
      ['Language', 'en'],
    ].entries()) {
      await expect.poll(() => page.title()).toBe(titles[n])
      await page.getByLabel(label ?? '').selectOption(next ?? '')
    }
  })
})
