import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseGhlContactId, parseGhlMessageId, parseLocationId } from '../../../src/core/ids.ts'
import {
  cleanText,
  MAX_CAPTION_LENGTH,
  MAX_TEXT_LENGTH,
  splitText,
  toParts,
} from '../../../src/ghl/from-ghl.ts'

const message = (text: string, ...attachments: string[]) => ({
  locationId: parseLocationId('loc'),
  ghlMessageId: parseGhlMessageId('msg'),
  ghlContactId: parseGhlContactId('contact'),
  text,
  attachments,
})

describe('clean text', () => {
  it('decodes the entities that GHL’s editor leaves behind, once', () => {
    expect(cleanText('Tom &amp; Jerry &lt;3 &#39;hi&#39; &#x1F600; &amp;lt;')).toBe(
      "Tom & Jerry <3 'hi' 😀 &lt;",
    )
  })

  it('leaves what only looks like an entity', () => {
    expect(cleanText('AT&T; &unknown; &#xD800; 100% & more')).toBe('AT&T; &unknown; &#xD800; 100% & more')
  })

  it('drops stray controls, keeps tabs and lines, and ends where the text ends', () => {
    expect(cleanText('\uFEFF\r\nfirst\r\nsecond\u0000\u0007\tend\u2028last  \n\n')).toBe(
      'first\nsecond\tend\nlast',
    )
  })

  it('keeps joined emoji whole', () => {
    expect(cleanText('👩‍👩‍👧 ok')).toBe('👩‍👩‍👧 ok')
  })
})

describe('an agent’s message', () => {
  it('of text alone is one part', () => {
    expect(toParts(message('hello'))).toEqual([{ kind: 'text', text: 'hello' }])
  })

  it.each(['https://x.example/a.JPG', 'https://x.example/a.mp4?sig=1', 'https://x.example/invoice.pdf'])(
    'puts the text under %s as its caption',
    (url) => {
      expect(toParts(message('see', url, 'https://x.example/b.png'))).toEqual([
        { kind: 'attachment', url, caption: 'see' },
        { kind: 'attachment', url: 'https://x.example/b.png' },
      ])
    },
  )

  it.each(['https://x.example/voice.ogg', 'https://x.example/a.mp3', 'https://x.example/download?id=7'])(
    'sends the text first when %s can carry no caption',
    (url) => {
      expect(toParts(message('see', url))).toEqual([
        { kind: 'text', text: 'see' },
        { kind: 'attachment', url },
      ])
    },
  )

  it('sends a text too long for a caption first', () => {
    const long = 'a'.repeat(MAX_CAPTION_LENGTH + 1)
    expect(toParts(message(long, 'https://x.example/a.jpg')).map((part) => part.kind)).toEqual([
      'text',
      'attachment',
    ])
  })

  it('without text is its attachments', () => {
    expect(toParts(message('', 'https://x.example/a.jpg'))).toEqual([
      { kind: 'attachment', url: 'https://x.example/a.jpg' },
    ])
  })

  it('without anything is nothing', () => {
    expect(toParts(message(''))).toEqual([])
  })

  it('longer than WhatsApp takes is cut on a word’s edge', () => {
    const words = 'word '.repeat(MAX_TEXT_LENGTH / 4).trim()
    const parts = toParts(message(words))
    expect(parts.length).toBe(2)
    expect(parts.map((part) => (part.kind === 'text' ? part.text : '')).join(' ')).toBe(words)
  })
})

describe('cutting a text', () => {
  it('never loses a character but white space, never exceeds the limit, never splits a character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.integer({ min: 2, max: 40 }),
        (text, max) => {
          const parts = splitText(text, max)
          const visible = (value: string) => value.replaceAll(/\s/gu, '')
          expect(visible(parts.join(''))).toBe(visible(text))
          for (const part of parts) {
            expect(part.length).toBeLessThanOrEqual(max)
            if (text.isWellFormed()) expect(part.isWellFormed()).toBe(true)
          }
        },
      ),
    )
  })
})
