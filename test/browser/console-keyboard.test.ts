/** The console without a mouse, in the operator's language, and for whoever reads it in another way than by eye. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import english from '../../src/web/words/en.json' with { type: 'json' }
import spanish from '../../src/web/words/es.json' with { type: 'json' }
import portuguese from '../../src/web/words/pt-BR.json' with { type: 'json' }
import { barriers, fits, type Look, type OpenBrowser, openBrowser } from '../support/browser.ts'

const OWNER = '15550009999'
const API_KEY = 'operator-key-of-the-keyboard'
const DESK: Look = { width: 1_280, height: 900 }
const PHONE_SIZED: Look = { width: 360, height: 740 }

/** What has the focus, as it is called: by its label, else by what it says. */
const FOCUSED = `(() => {
  const at = document.activeElement
  if (at === null || at === document.body) return ''
  const label = at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent
  return label.trim()
})()`

describe('the console', () => {
  let stage: Stage
  let browser: OpenBrowser
  let dental: string

  beforeAll(async () => {
    stage = await Stage.set({ env: { API_KEY } })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    dental = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(dental)
    await stage.pair(dental, OWNER)
    const bare = stage.ghl.addLocation({ name: 'Bare' }).id
    await stage.install(bare)
    browser = await openBrowser()
  }, 60_000)
  afterEach(() => browser.clear())
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  const focused = (page: Page) => page.evaluate<string>(FOCUSED)
  /** Goes on from where the focus is, as far as anybody would. */
  async function tabTo(page: Page, name: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
    const passed: string[] = []
    for (let press = 0; press < 40; press += 1) {
      await page.keyboard.press(key)
      passed.push(await focused(page))
      if (passed.at(-1) === name) return
    }
    throw new Error(`the keyboard does not reach “${name}”, only ${passed.join(', ')}`)
  }
  /** Off the page, not only shut. */
  const closed = (page: Page) => page.locator('dialog').waitFor({ state: 'detached' })
  async function enter(page: Page, words: typeof english = english): Promise<void> {
    await page.getByLabel(words['console.key']).and(page.locator(':focus')).waitFor()
    await page.keyboard.type(API_KEY)
    await page.keyboard.press('Enter')
    await page.getByRole('navigation', { name: words['console.places'] }).waitFor()
  }

  it('is entered, gone through and acted in by the keyboard alone', async () => {
    const { page, complaints } = await browser.page(DESK)
    await page.goto(`${stage.bridge.url}/console`)
    await enter(page)
    await page.getByRole('link', { name: 'Dental Care' }).waitFor()
    // He is where he wanted to go, and all other parts are a few steps back, in their order.
    await page.getByRole('region', { name: 'Locations' }).and(page.locator(':focus')).waitFor()
    const order: string[] = []
    for (let press = 0; press < 10; press += 1) {
      await page.keyboard.press('Shift+Tab')
      order.unshift(await focused(page))
    }
    const places = ['locations', 'messages', 'figures', 'syncs', 'events', 'audit', 'keys', 'setup'] as const
    expect(order).toEqual([
      english.language,
      ...places.map((place) => english[`console.place.${place}`]),
      english['console.leave'],
    ])

    // Whoever goes elsewhere is there: the next step is in that part, not in the list of parts again.
    await tabTo(page, 'Audit')
    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: 'Audit' }).and(page.locator(':focus')).waitFor()
    await tabTo(page, 'Locations', 'Shift+Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'Bare' }).waitFor()

    await tabTo(page, 'Choose Bare')
    await page.keyboard.press('Space')
    await page.getByText('1 chosen').waitFor()
    await tabTo(page, 'Pairing links', 'Shift+Tab')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Pairing links' })
    await dialog.getByText('1 link, for a number that a scan connects.').waitFor()
    // The keyboard stays in it, however often it is pressed; '' is the browser itself.
    const met = new Set<string>()
    for (let press = 0; press < 8; press += 1) {
      await page.keyboard.press('Tab')
      met.add(await focused(page))
    }
    expect([...met].filter((name) => name !== '').sort()).toEqual(['Close', 'Make the links'])
    await page.keyboard.press('Escape')
    await closed(page)
    expect(await focused(page)).toBe('Pairing links')

    await page.keyboard.press('Enter')
    await dialog.getByText('1 link, for a number').waitFor()
    await tabTo(page, 'Make the links')
    await page.keyboard.press('Enter')
    await dialog.getByText('1 link. Copy it').waitFor()
    await tabTo(page, 'Bare')
    expect(await page.evaluate('getSelection().toString()')).toContain('/pair/')
    await tabTo(page, 'Close')
    await page.keyboard.press('Enter')
    await dialog.getByText('1 link was not copied yet.').waitFor()
    await tabTo(page, 'Close it all the same')
    await page.keyboard.press('Enter')
    await closed(page)
    expect(await focused(page)).toBe('Pairing links')

    // A dialog that ends with what it asked about gives the focus back, too.
    await tabTo(page, 'Dental Care')
    await page.keyboard.press('Enter')
    await page.locator('#installation').waitFor()
    await tabTo(page, 'Deactivate')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Deactivate' }).waitFor()
    await tabTo(page, 'Deactivate it')
    await page.keyboard.press('Enter')
    await page.locator('section.card').getByText('Deactivated', { exact: true }).waitFor()
    await closed(page)
    await tabTo(page, 'Activate')
    await page.keyboard.press('Space')
    await page.locator('section.card').getByText('Tokens well').waitFor()
    expect(complaints).toEqual([])
  }, 60_000)

  it('speaks the language that is chosen, all over and after a reload', async () => {
    const { page } = await browser.page({ ...DESK, locale: 'pt-PT' })
    await page.goto(`${stage.bridge.url}/console#/audit`)
    // The browser's own, until another is chosen.
    await enter(page, portuguese)
    await page.getByRole('heading', { name: portuguese['console.place.audit'] }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('pt-BR')
    await page.getByLabel(portuguese.language).selectOption('es')
    await page.getByRole('heading', { name: spanish['console.place.audit'] }).waitFor()
    expect(await page.title()).toBe(`${spanish['console.place.audit']} · ${spanish['console.title']}`)
    await page.reload()
    await enter(page, spanish)
    await page.getByRole('heading', { name: spanish['console.place.audit'] }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('es')
    await page.goto(`${stage.bridge.url}/pair/${'A'.repeat(32)}`)
    await page.getByRole('heading', { name: spanish['pair.expired'] }).waitFor()
    await page.goto(`${stage.bridge.url}/console`)
    await page.getByLabel(spanish.language).selectOption('en')
    await page.getByRole('button', { name: english['console.enter'] }).waitFor()
    await page.reload()
    await enter(page)
  })

  it.each([
    ['a desk', DESK],
    ['a phone', PHONE_SIZED],
  ])(
    'has no barrier at its door nor where it shows one location, on %s',
    async (_what, look) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page } = await browser.page({ ...look, colorScheme })
        const name = (what: string) => `console-${what}-${look.width}-${colorScheme}`
        const judge = async (what: string): Promise<void> => {
          expect([what, await fits(page), await barriers(page)]).toEqual([what, true, []])
          await browser.keep(page, name(what))
        }
        await page.goto(`${stage.bridge.url}/console#/locations/${dental}`)
        await page.getByLabel(english['console.key']).fill('wrong')
        await page.getByRole('button', { name: english['console.enter'] }).click()
        await page.getByRole('alert').waitFor()
        await judge('door')
        await page.getByLabel(english['console.key']).fill(API_KEY)
        await page.getByRole('button', { name: english['console.enter'] }).click()
        await page.locator('.number[data-status=ready]').waitFor()
        await page.getByText('More', { exact: true }).click()
        await page.getByRole('heading', { name: english['settings.title'] }).click()
        await judge('one-location')
        await page.goto('about:blank')
      }
    },
    60_000,
  )
})
