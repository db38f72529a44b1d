/** The pairing page in a real browser, on a phone-sized screen, against the real server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { type OpenBrowser, openBrowser } from '../support/browser.ts'

const OWNER = '15550009999'

describe('the pairing page', () => {
  let stage: Stage
  let browser: OpenBrowser
  let locationId: string

  beforeAll(async () => {
    stage = await Stage.set()
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  async function open(sessionId: string) {
    const path = `/ghl/location/${locationId}/session/${sessionId}/pairing-link`
    const made = await stage.bridge.operator('POST', path)
    const page = await browser.page({ width: 360, height: 740 })
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text())
    })
    await page.goto(((await made.json()) as { url: string }).url) // our own contract
    return { page, problems }
  }

  it('shows a QR to scan, then that the number is connected, then that it was unlinked, without a reload', async () => {
    const sessionId = await stage.createSession(locationId)
    const { page, problems } = await open(sessionId)
    const headline = page.locator('#headline')
    await page.locator('#qr svg').waitFor()
    expect(await headline.textContent()).toBe('Scan this code with WhatsApp')
    const box = await page.locator('#qr').boundingBox()
    expect(box?.width).toBeGreaterThan(250)
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true)

    const { qr } = await stage.session(locationId, sessionId)
    await stage.whatsapp.scan(OWNER, qr ?? '')
    await page.getByText('Connected', { exact: true }).waitFor()
    expect(await page.locator('#explain').textContent()).toContain(`+${OWNER}`)
    await page.locator('#qr').waitFor({ state: 'hidden' })

    stage.whatsapp.unlink(OWNER)
    await page.getByText('Not connected').waitFor()
    expect(await page.locator('#explain').textContent()).toContain('unlinked')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.locator('#qr svg').waitFor()
    expect(problems).toEqual([])
    await browser.keep(page, 'pairing-page')
  })

  it('shows a code to type when the number was given', async () => {
    const sessionId = await stage.createSession(locationId, { phoneNumber: `+${OWNER}` })
    const { page } = await open(sessionId)
    await page.locator('#code').waitFor()
    const shown = (await page.locator('#code').textContent()) ?? ''
    expect(shown).toMatch(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/)
    await stage.whatsapp.enterPairingCode(OWNER, shown.replace('-', ''))
    await page.getByText('Connected', { exact: true }).waitFor()
  })

  it('says in words that a link is dead', async () => {
    const page = await browser.page({ width: 360, height: 740 })
    const answer = await page.goto(`${stage.bridge.url}/pair/${'A'.repeat(32)}`)
    expect(answer?.status()).toBe(410)
    expect(await page.getByRole('heading').textContent()).toBe('This link has expired')
  })
})
