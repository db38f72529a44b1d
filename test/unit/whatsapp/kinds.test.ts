/** What each kind says, over the wire format and as GHL's reader gets it. */
import { proto } from '@whiskeysockets/baileys'
import { describe, expect, it } from 'vitest'
import { readable } from '../../../src/bridge/readable.ts'
import { contentOf, convert, envelopeOf, FILE, wired } from './converting.ts'

const textOf = (message: proto.IMessage): string => readable(envelopeOf(message))

describe('text', () => {
  it('keeps WhatsApp’s formatting, line breaks, emoji and other scripts as typed', () => {
    const text = '*bold* _italic_ ~struck~ ```code```\n> quote\n- item\n👩‍👩‍👧‍👦 مرحبا שלום'
    expect(textOf({ conversation: text })).toBe(text)
  })

  it('is carried whole when it is long', () => {
    const text = 'word '.repeat(13_107)
    expect(textOf({ conversation: text })).toBe(text)
  })

  it('shows the preview of a link below it, unless it says nothing new', () => {
    const link = { text: 'https://example.com/a', title: 'A fine page', description: 'About\nthings' }
    expect(textOf({ extendedTextMessage: link })).toBe('https://example.com/a\n[A fine page – About things]')
    const same = { text: 'A fine page: https://example.com/a', title: 'A fine page' }
    expect(textOf({ extendedTextMessage: same })).toBe('A fine page: https://example.com/a')
  })

  it('that shows nothing is told of', () => {
    expect(textOf({ conversation: ' \u0007 ' })).toBe('[Sent a message without visible text.]')
  })

  it('of WhatsApp’s assistant is read', () => {
    const richResponseMessage = { submessages: [{ messageText: 'First' }, { messageText: 'Second' }] }
    expect(textOf({ richResponseMessage })).toBe('First\nSecond')
  })
})

describe('what surrounds a message', () => {
  const quoting = (quotedMessage: proto.IMessage, remoteJid?: string) => ({
    stanzaId: 'Q1',
    quotedMessage,
    ...(remoteJid !== undefined && { remoteJid }),
  })

  it.each([
    [{ conversation: 'See you\nat 5' }, '“See you at 5”'],
    [{ imageMessage: { ...FILE, caption: 'Our menu' } }, 'an image “Our menu”'],
    [{ audioMessage: { ...FILE, ptt: true, seconds: 72 } }, 'a voice note (1:12)'],
    [{ documentMessage: { ...FILE, fileName: 'plan.pdf' } }, 'the file "plan.pdf"'],
    [{ locationMessage: { degreesLatitude: 1, degreesLongitude: 2 } }, 'a location'],
    [{ pollCreationMessageV3: { name: 'Pizza?', options: [{ optionName: 'Yes' }] } }, 'the poll “Pizza?”'],
    [{ contactMessage: { displayName: 'Bo', vcard: 'BEGIN:VCARD' } }, 'a contact card'],
  ])('a quote of %o stands above the text', (quotedMessage, gist) => {
    const contextInfo = quoting(quotedMessage)
    expect(textOf({ extendedTextMessage: { text: 'Yes!', contextInfo } })).toBe(`[Replying to ${gist}]\nYes!`)
  })

  it('a quote stands above a caption and beside a file without one', () => {
    const contextInfo = quoting({ conversation: 'Which one?' })
    expect(textOf({ imageMessage: { ...FILE, caption: 'This', contextInfo } })).toBe(
      '[Replying to “Which one?”]\nThis',
    )
    expect(textOf({ stickerMessage: { ...FILE, contextInfo } })).toBe('[Replying to “Which one?”]')
  })

  it('a quote that WhatsApp did not send along is looked up by id', () => {
    const envelope = envelopeOf({ extendedTextMessage: { text: 'Yes', contextInfo: { stanzaId: 'Q1' } } })
    expect(readable(envelope)).toBe('[Replying to a message]\nYes')
    expect(readable(envelope, { content: { kind: 'text', text: 'Coming?' } })).toBe(
      '[Replying to “Coming?”]\nYes',
    )
  })

  it('an answer to a status says so', () => {
    const contextInfo = quoting({ conversation: 'On holiday' }, 'status@broadcast')
    expect(textOf({ extendedTextMessage: { text: 'Enjoy', contextInfo } })).toBe(
      '[Replying to your status: “On holiday”]\nEnjoy',
    )
  })

  it('a long quote is cut between characters as people see them', () => {
    const contextInfo = quoting({ conversation: '👩‍👩‍👧‍👦'.repeat(100) })
    const [line = ''] = textOf({ extendedTextMessage: { text: 'x', contextInfo } }).split('\n')
    expect(line).toBe(`[Replying to “${'👩‍👩‍👧‍👦'.repeat(79)}…”]`)
  })

  it('the ad that the customer tapped is shown once, with its address', () => {
    const externalAdReply = {
      title: 'White teeth',
      body: 'Only this week',
      sourceType: 'ad',
      sourceId: '1',
      sourceUrl: 'https://fb.me/abc',
      ctwaClid: 'clid',
    }
    const contextInfo = { externalAdReply }
    expect(textOf({ extendedTextMessage: { text: 'Hello', contextInfo } })).toBe(
      '[From the ad “White teeth”] https://fb.me/abc\nHello',
    )
  })

  it('the address of an ad is a web address or nothing', () => {
    const externalAdReply = { title: 'T', sourceUrl: 'javascript:alert(1)' }
    expect(textOf({ extendedTextMessage: { text: 'Hi', contextInfo: { externalAdReply } } })).toBe(
      '[From the ad “T”]\nHi',
    )
  })

  it('the secret of a message is kept, wherever it stands', () => {
    const messageContextInfo = { messageSecret: Buffer.alloc(32, 7) }
    const secret = Buffer.alloc(32, 7).toString('base64')
    expect(envelopeOf({ conversation: 'hi', messageContextInfo })).toMatchObject({ secret })
    const inside = { ephemeralMessage: { message: { conversation: 'hi', messageContextInfo } } }
    expect(envelopeOf(inside)).toMatchObject({ secret })
    const outside = { ephemeralMessage: { message: { conversation: 'hi' } }, messageContextInfo }
    expect(envelopeOf(outside)).toMatchObject({ secret, content: { kind: 'text', text: 'hi' } })
  })
})

describe('files', () => {
  it.each([
    ['imageMessage', {}, 'image', {}],
    ['videoMessage', {}, 'video', {}],
    ['videoMessage', { gifPlayback: true }, 'video', { form: 'gif' }],
    ['ptvMessage', { seconds: 5 }, 'video', { form: 'round', seconds: 5 }],
    ['audioMessage', { seconds: 61 }, 'audio', { seconds: 61 }],
    ['audioMessage', { ptt: true, seconds: 12 }, 'audio', { form: 'voice', seconds: 12 }],
    ['documentMessage', {}, 'document', {}],
    ['stickerMessage', { isAnimated: true }, 'sticker', {}],
  ])('%s %o is a %s', (field, extra, mediaKind, more) => {
    const content = contentOf({ [field]: { ...FILE, ...extra } })
    expect(JSON.parse(JSON.stringify(content))).toEqual(content)
    expect(content).toEqual({
      kind: 'media',
      media: {
        mediaKind,
        mimeType: 'image/jpeg',
        url: FILE.url,
        directPath: FILE.directPath,
        sizeBytes: 1234,
        mediaKey: FILE.mediaKey.toString('base64'),
        sha256: FILE.fileSha256.toString('base64'),
        encryptedSha256: FILE.fileEncSha256.toString('base64'),
        message: { chat: '98765@lid', id: 'A1', fromMe: false },
      },
      ...more,
    })
  })

  it('a document keeps its true name, or else its title', () => {
    expect(
      contentOf({ documentMessage: { ...FILE, fileName: 'Rechnung März.pdf', title: 'x' } }),
    ).toMatchObject({
      media: { fileName: 'Rechnung März.pdf' },
    })
    expect(contentOf({ documentMessage: { ...FILE, title: 'Offer' } })).toMatchObject({
      media: { fileName: 'Offer' },
    })
  })

  it('a document with caption comes in a container', () => {
    const documentMessage = { ...FILE, fileName: 'plan.pdf', caption: 'the plan' }
    expect(contentOf({ documentWithCaptionMessage: { message: { documentMessage } } })).toMatchObject({
      caption: 'the plan',
      media: { mediaKind: 'document', fileName: 'plan.pdf' },
    })
  })

  it('a voice note says how long it is; other files say nothing beside their caption', () => {
    expect(textOf({ audioMessage: { ...FILE, ptt: true, seconds: 3_725 } })).toBe('[Voice note, 1:02:05]')
    expect(textOf({ imageMessage: FILE })).toBe('')
    expect(textOf({ imageMessage: { ...FILE, caption: 'look' } })).toBe('look')
  })

  it('a view-once file is carried and marked when its key is there', () => {
    const inner = { message: { imageMessage: { ...FILE, viewOnce: true, caption: 'psst' } } }
    for (const field of ['viewOnceMessage', 'viewOnceMessageV2', 'viewOnceMessageV2Extension']) {
      expect(contentOf({ [field]: inner })).toMatchObject({ kind: 'media', isViewOnce: true })
    }
    expect(textOf({ viewOnceMessageV2: inner })).toBe('[Sent to be seen once]\npsst')
  })

  it('a view-once file without its key is a sentence', () => {
    const inner = { message: { videoMessage: { mimetype: 'video/mp4', seconds: 9 } } }
    expect(textOf({ viewOnceMessageV2: inner })).toBe(
      '[Sent a video (0:09) that can only be opened on the phone.]',
    )
  })

  it('what linked devices are told of but not given is a sentence', () => {
    const told = convert(null, { isViewOnce: true })
    expect(told).toMatchObject({ envelope: { content: { kind: 'notice', waKind: 'viewOnceMessage' } } })
  })

  it('a disappearing message is carried like any other', () => {
    expect(contentOf({ ephemeralMessage: { message: { imageMessage: FILE } } })).toMatchObject({
      kind: 'media',
    })
  })

  it('a Lottie sticker, which is no picture, is a sentence with its meaning', () => {
    const stickerMessage = {
      ...FILE,
      mimetype: 'application/was',
      isLottie: true,
      accessibilityLabel: 'waving',
    }
    const text = '[Sent an animated sticker (waving). It can be seen on the phone.]'
    expect(textOf({ lottieStickerMessage: { message: { stickerMessage } } })).toBe(text)
    expect(textOf({ stickerMessage })).toBe(text)
  })

  it('the frame of an album is ignored by name; its pictures come by themselves', () => {
    expect(convert(wired({ albumMessage: { expectedImageCount: 2 } }))).toEqual({ ignored: 'album' })
    const child = { associatedChildMessage: { message: { imageMessage: FILE } } }
    expect(contentOf(child)).not.toHaveProperty('isBetterCopy')
  })

  it('the better copy that WhatsApp sends after a picture is marked as one', () => {
    const messageContextInfo = { messageAssociation: { associationType: 10, parentMessageKey: { id: 'A0' } } }
    const child = { associatedChildMessage: { message: { imageMessage: FILE, messageContextInfo } } }
    expect(textOf(child)).toBe('[The same in better quality]')
  })
})

describe('places and people', () => {
  it('a location has a map link, its name, address and accuracy', () => {
    const locationMessage = {
      degreesLatitude: -23.550519,
      degreesLongitude: -46.633309,
      name: 'Dental Care',
      address: 'Rua A, 1',
      accuracyInMeters: 12,
    }
    expect(textOf({ locationMessage })).toBe(
      '[Location]\nDental Care\nRua A, 1\nhttps://maps.google.com/?q=-23.550519,-46.633309\nAccurate to 12 m',
    )
  })

  it('a live location says so, with its caption', () => {
    const liveLocationMessage = {
      degreesLatitude: 1.5,
      degreesLongitude: 2.25,
      caption: 'On my way',
      sequenceNumber: 3,
    }
    expect(textOf({ liveLocationMessage })).toBe(
      '[Live location: where the phone is now]\nOn my way\nhttps://maps.google.com/?q=1.5,2.25',
    )
  })

  it.each([
    [{}],
    [{ degreesLatitude: Number.NaN, degreesLongitude: 1 }],
    [{ degreesLatitude: 91, degreesLongitude: 1 }],
  ])('a location that is nowhere on earth is a sentence: %o', (locationMessage) => {
    expect(textOf({ locationMessage: { ...locationMessage, name: 'Somewhere' } })).toBe(
      '[Sent a location. It can be seen on the phone.]\nSomewhere',
    )
  })

  it('contact cards are read out, each with its card kept', () => {
    const bo =
      'BEGIN:VCARD\nVERSION:3.0\nFN:Bo Li\nORG:Acme;Sales\nTEL;waid=1555:+1 555\nEMAIL:bo@acme.test\nEND:VCARD'
    const cy = 'BEGIN:VCARD\nVERSION:3.0\nN:Doe;Cy;;;\nTEL:+49 30\nEND:VCARD'
    const message = {
      contactsArrayMessage: { displayName: '2 contacts', contacts: [{ vcard: bo }, { vcard: cy }] },
    }
    expect(textOf(message)).toBe(
      '[2 contact cards]\nBo Li\nAcme, Sales\n+1 555\nbo@acme.test\n\nCy Doe\n+49 30',
    )
    expect(contentOf(message)).toMatchObject({ kind: 'contacts', cards: [{ vcard: bo }, { vcard: cy }] })
    expect(textOf({ contactMessage: { displayName: 'Bo', vcard: bo } })).toMatch(/^\[Contact card\]\nBo Li\n/)
  })

  it('a card without a card is a sentence', () => {
    expect(textOf({ contactMessage: {} })).toBe('[Sent a contact card. It can be seen on the phone.]')
  })
})

describe('polls and events', () => {
  it('a poll shows its question and numbered options, whichever version it is', () => {
    const poll = { name: 'Pizza?', options: [{ optionName: 'Yes' }, { optionName: 'No' }] }
    const text = '[Poll]\nPizza?\n1. Yes\n2. No'
    for (const field of ['', 'V2', 'V3', 'V5'])
      expect(textOf({ [`pollCreationMessage${field}`]: poll })).toBe(text)
    expect(textOf({ pollCreationMessageV4: { message: { pollCreationMessage: poll } } })).toBe(text)
  })

  it('the result of a poll is read out', () => {
    const pollResultSnapshotMessage = {
      name: 'Pizza?',
      pollVotes: [{ optionName: 'Yes', optionVoteCount: 3 }],
    }
    expect(textOf({ pollResultSnapshotMessage })).toBe('[Result of a poll]\nPizza?\nYes: 3')
  })

  it('an event says what, when and where', () => {
    const eventMessage = {
      name: 'Open day',
      description: 'Cake',
      startTime: 1_800_000_000,
      endTime: 1_800_003_600,
      location: { name: 'Clinic', address: 'Main St 1' },
      joinLink: 'https://call.whatsapp.com/x',
    }
    expect(textOf({ eventMessage })).toBe(
      '[Event]\nOpen day\n2027-01-15 08:00 UTC – 2027-01-15 09:00 UTC\nCake\nClinic\nMain St 1\nhttps://call.whatsapp.com/x',
    )
    expect(textOf({ eventMessage: { name: 'Open day', isCanceled: true } })).toBe(
      '[Event, canceled]\nOpen day',
    )
  })
})

describe('what is about another message', () => {
  const { Type } = proto.Message.ProtocolMessage
  const original = { kind: 'text', text: 'See you at 5' } as const

  it.each([
    ['❤️', original, '[Reacted ❤️ to “See you at 5”]'],
    ['❤️', undefined, '[Reacted ❤️ to a message]'],
    ['', original, '[Took back the reaction to “See you at 5”]'],
  ])('a reaction %s to %o', (text, content, line) => {
    const envelope = envelopeOf({ reactionMessage: { key: { id: 'A0' }, text } })
    expect(envelope.content).toMatchObject({ kind: 'reaction', of: 'A0' })
    expect(readable(envelope, { content })).toBe(line)
  })

  const edit = { type: Type.MESSAGE_EDIT, key: { id: 'A0' }, editedMessage: { conversation: 'See you at 6' } }

  it('an edit shows the new words and what they replace', () => {
    for (const message of [
      { protocolMessage: edit },
      { editedMessage: { message: { protocolMessage: edit } } },
      { ephemeralMessage: { message: { editedMessage: { message: { protocolMessage: edit } } } } },
    ]) {
      const envelope = envelopeOf(message)
      expect(envelope.content).toMatchObject({ kind: 'edit', of: 'A0' })
      expect(readable(envelope, { content: original })).toBe('[Edited, it was “See you at 5”]\nSee you at 6')
      expect(readable(envelope)).toBe('[Edited]\nSee you at 6')
    }
  })

  it('an edited caption shows the new caption', () => {
    const protocolMessage = { ...edit, editedMessage: { imageMessage: { ...FILE, caption: 'new caption' } } }
    const old = { kind: 'attachment', url: 'x', caption: 'old caption' } as const
    expect(readable(envelopeOf({ protocolMessage }), { content: old })).toBe(
      '[Edited, it was a file “old caption”]\nnew caption',
    )
  })

  it('a deletion says what is gone', () => {
    const envelope = envelopeOf({ protocolMessage: { type: Type.REVOKE, key: { id: 'A0' } } })
    expect(readable(envelope, { content: original })).toBe('[Deleted “See you at 5”]')
    expect(readable(envelope)).toBe('[Deleted a message]')
  })

  const SAID = new Set(['MESSAGE_EDIT', 'SHARE_PHONE_NUMBER', 'STATUS_MENTION_MESSAGE'])

  it.each(Object.entries(Type).filter(([name]) => !SAID.has(name)))(
    '%s without more is protocol',
    (_name, type) => {
      expect(
        convert(wired({ protocolMessage: { type: type as proto.Message.ProtocolMessage.Type } })),
      ).toEqual({
        ignored: 'protocol',
      })
    },
  )

  it('a shared number and a mention in a status are told', () => {
    expect(textOf({ protocolMessage: { type: Type.SHARE_PHONE_NUMBER } })).toBe('[Shared the phone number.]')
    const mention = { protocolMessage: { type: Type.STATUS_MENTION_MESSAGE } }
    expect(textOf({ statusMentionMessage: { message: mention } })).toBe('[Mentioned you in a status.]')
  })

  it('pinned and kept messages are ignored by name', () => {
    expect(convert(wired({ pinInChatMessage: { key: { id: 'A0' }, type: 1 } }))).toEqual({ ignored: 'pin' })
    expect(convert(wired({ keepInChatMessage: { key: { id: 'A0' } } }))).toEqual({ ignored: 'keep_in_chat' })
  })
})

describe('business', () => {
  it.each<[string, proto.IMessage, string]>([
    [
      'buttons',
      {
        buttonsMessage: {
          contentText: 'Confirm?',
          footerText: 'Clinic',
          buttons: [{ buttonText: { displayText: 'Yes' } }, { buttonText: { displayText: 'No' } }],
        },
      },
      'Confirm?\nClinic\n• Yes\n• No',
    ],
    [
      'a list',
      {
        listMessage: {
          title: 'Times',
          description: 'Pick one',
          sections: [{ rows: [{ title: '9:00', description: 'early' }, { title: '10:00' }] }],
        },
      },
      'Times\nPick one\n• 9:00: early\n• 10:00',
    ],
    [
      'a template',
      {
        templateMessage: {
          hydratedTemplate: {
            hydratedTitleText: 'Hello',
            hydratedContentText: 'Your code is 1',
            hydratedButtons: [{ urlButton: { displayText: 'Open', url: 'https://a.test' } }],
          },
        },
      },
      'Hello\nYour code is 1\n• Open: https://a.test',
    ],
    [
      'an interactive message',
      {
        interactiveMessage: {
          header: { title: 'Offer' },
          body: { text: 'Half price' },
          nativeFlowMessage: {
            buttons: [{ name: 'cta_url', buttonParamsJson: '{"display_text":"Buy","url":"https://b.test"}' }],
          },
        },
      },
      'Offer\nHalf price\n• Buy: https://b.test',
    ],
    [
      'an old template',
      { highlyStructuredMessage: { elementName: 'welcome', params: ['Ana'] } },
      'welcome\nAna',
    ],
    [
      'an order',
      {
        orderMessage: {
          orderId: '77',
          itemCount: 2,
          orderTitle: 'Shop',
          message: 'Please',
          totalAmount1000: 12_500,
          totalCurrencyCode: 'EUR',
        },
      },
      '[Order 77]\nShop\n2 items, EUR 12.50\nPlease\n[The items can be seen on the phone.]',
    ],
    [
      'a product',
      {
        productMessage: {
          product: { title: 'Brush', priceAmount1000: 3_000, currencyCode: 'USD', url: 'https://c.test' },
        },
      },
      '[Product]\nBrush\nUSD 3.00\nhttps://c.test',
    ],
    [
      'a catalogue',
      { productMessage: { catalog: { title: 'All', description: 'Everything' } } },
      '[Catalogue]\nAll\nEverything',
    ],
    [
      'a payment',
      { sendPaymentMessage: { noteMessage: { conversation: 'for Monday' } } },
      '[Sent a payment. It can be seen on the phone.]\nfor Monday',
    ],
    [
      'a request for payment',
      {
        requestPaymentMessage: {
          amount1000: 5_000,
          currencyCodeIso4217: 'BRL',
          noteMessage: { extendedTextMessage: { text: 'rest' } },
        },
      },
      '[Asks for a payment of BRL 5.00.]\nrest',
    ],
    [
      'an invoice',
      { invoiceMessage: { note: 'No. 7' } },
      '[Sent an invoice. It can be seen on the phone.]\nNo. 7',
    ],
    [
      'an invitation to a group',
      { groupInviteMessage: { groupName: 'Friends', inviteCode: 'AbC-1', caption: 'Join' } },
      '[Invitation to a group]\nFriends\nJoin\nhttps://chat.whatsapp.com/AbC-1',
    ],
    [
      'an invitation to a channel',
      { newsletterAdminInviteMessage: { newsletterName: 'News' } },
      '[Invitation to a channel]\nNews',
    ],
    [
      'a planned call',
      { scheduledCallCreationMessage: { title: 'Review', scheduledTimestampMs: 1_800_000_000_000 } },
      '[Planned a call]\nReview\n2027-01-15 08:00 UTC',
    ],
  ])('%s reads well', (_what, message, text) => {
    expect(textOf(message)).toBe(text)
  })

  it.each<[string, proto.IMessage, string]>([
    [
      'buttons',
      { buttonsResponseMessage: { selectedButtonId: 'b1', selectedDisplayText: 'Yes' } },
      '[Chose] Yes',
    ],
    ['buttons without words', { buttonsResponseMessage: { selectedButtonId: 'b1' } }, '[Chose] b1'],
    [
      'a list',
      {
        listResponseMessage: {
          title: '9:00',
          description: 'early',
          singleSelectReply: { selectedRowId: 'r' },
        },
      },
      '[Chose] 9:00\nearly',
    ],
    [
      'a template',
      { templateButtonReplyMessage: { selectedId: 'x', selectedDisplayText: 'Stop' } },
      '[Chose] Stop',
    ],
    ['a flow', { interactiveResponseMessage: { body: { text: 'Sent' } } }, '[Chose] Sent'],
    [
      'a form',
      {
        interactiveResponseMessage: {
          nativeFlowResponseMessage: { paramsJson: '{"name":"Ana","flow_token":"t"}' },
        },
      },
      '[Chose] name: Ana',
    ],
  ])('the answer to %s is the chosen text', (_what, message, text) => {
    expect(textOf(message)).toBe(text)
  })

  it('a picture above a menu is carried with the words as its caption', () => {
    const interactiveMessage = { header: { imageMessage: FILE }, body: { text: 'Half price' } }
    expect(contentOf({ interactiveMessage })).toMatchObject({ kind: 'media', caption: 'Half price' })
    const productMessage = { product: { title: 'Brush', productImage: FILE } }
    expect(contentOf({ productMessage })).toMatchObject({ kind: 'media', caption: '[Product]\nBrush' })
  })
})

describe('calls that stand in the chat', () => {
  const { CallOutcome } = proto.Message.CallLogMessage

  it.each([
    [{ callOutcome: CallOutcome.MISSED }, '[Missed voice call]'],
    [{ callOutcome: CallOutcome.MISSED, isVideo: true }, '[Missed video call]'],
    [{ callOutcome: CallOutcome.CONNECTED, durationSecs: 65 }, '[Voice call, answered on the phone, 1:05]'],
    [{ callOutcome: CallOutcome.REJECTED }, '[Voice call, declined on the phone]'],
    [{ callOutcome: CallOutcome.FAILED }, '[Voice call that did not connect]'],
  ])('%o', (callLogMesssage, text) => {
    expect(textOf({ callLogMesssage })).toBe(text)
  })
})
