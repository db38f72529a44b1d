/** A real Chromium from npm, without anything installed by hand. Screenshots land in test-artifacts/, outside git. */
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import chromium from '@sparticuz/chromium'
import type { AxeResults } from 'axe-core'
import { type Frame, type Page, chromium as playwright } from 'playwright-core'

export interface Look {
  readonly width: number
  readonly height: number
  readonly locale?: string
  readonly colorScheme?: 'light' | 'dark'
  readonly timezoneId?: string
  /** Both: a phone, with fingers instead of a pointer. */
  readonly hasTouch?: boolean
  readonly isMobile?: boolean
}

export interface OpenBrowser {
  /** A page of its own, as a new visitor sees it. */
  page(look: Look): Promise<WatchedPage>
  /** Keeps a picture of the page for people to look at. */
  keep(page: Page, name: string): Promise<void>
  /** The visitors go home: this Chromium keeps one storage and six connections per host for all of them. */
  clear(): Promise<void>
  close(): Promise<void>
}

export interface WatchedPage {
  readonly page: Page
  /** What the page complained of: exceptions, and errors on its console. */
  readonly complaints: string[]
}

export async function openBrowser(): Promise<OpenBrowser> {
  const browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [
      ...chromium.args,
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    headless: true,
  })
  return {
    page: async ({ width, height, ...look }) => {
      const context = await browser.newContext({ viewport: { width, height }, locale: 'en-US', ...look })
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`)
      })
      return { page, complaints }
    },
    keep: async (page, name) => {
      await mkdir('test-artifacts', { recursive: true })
      await page.screenshot({ path: `test-artifacts/${name}.png`, fullPage: true })
    },
    clear: async () => {
      for (const context of browser.contexts()) {
        for (const page of context.pages()) {
          for (const frame of page.frames())
            await frame.evaluate('localStorage.clear()').catch(() => undefined)
          // Closing the context would close this single-process browser with it.
          await page.goto('about:blank')
        }
      }
    },
    close: () => browser.close(),
  }
}

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** What axe-core finds that keeps people out: serious and critical violations, each with the place. */
export async function barriers(where: Page | Frame): Promise<string[]> {
  await where.evaluate(await readFile(axeSource, 'utf8'))
  const { violations } = await where.evaluate<AxeResults>('axe.run()')
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
    )
}

/** True when the page is not wider than the screen. */
export const fits = (where: Page | Frame): Promise<boolean> =>
  where.evaluate<boolean>('document.documentElement.scrollWidth <= window.innerWidth')
