/** Countries with their calling codes, for the phone field. @see ITU E.164 assignments, 2026. */
const CODES =
  'AD376 AE971 AF93 AG1268 AI1264 AL355 AM374 AO244 AR54 AS1684 AT43 AU61 AW297 AZ994 BA387 BB1246 BD880 BE32 BF226 BG359 ' +
  'BH973 BI257 BJ229 BM1441 BN673 BO591 BR55 BS1242 BT975 BW267 BY375 BZ501 CA1 CD243 CF236 CG242 CH41 CI225 CK682 CL56 CM237 ' +
  'CN86 CO57 CR506 CU53 CV238 CW599 CY357 CZ420 DE49 DJ253 DK45 DM1767 DO1809 DZ213 EC593 EE372 EG20 ER291 ES34 ET251 FI358 ' +
  'FJ679 FK500 FM691 FO298 FR33 GA241 GB44 GD1473 GE995 GF594 GH233 GI350 GL299 GM220 GN224 GP590 GQ240 GR30 GT502 GU1671 ' +
  'GW245 GY592 HK852 HN504 HR385 HT509 HU36 ID62 IE353 IL972 IN91 IQ964 IR98 IS354 IT39 JM1876 JO962 JP81 KE254 KG996 KH855 ' +
  'KI686 KM269 KN1869 KR82 KW965 KY1345 KZ7 LA856 LB961 LC1758 LI423 LK94 LR231 LS266 LT370 LU352 LV371 LY218 MA212 MC377 ' +
  'MD373 ME382 MG261 MH692 MK389 ML223 MM95 MN976 MO853 MQ596 MR222 MS1664 MT356 MU230 MV960 MW265 MX52 MY60 MZ258 NA264 ' +
  'NC687 NE227 NG234 NI505 NL31 NO47 NP977 NZ64 OM968 PA507 PE51 PF689 PG675 PH63 PK92 PL48 PR1787 PS970 PT351 PW680 PY595 ' +
  'QA974 RE262 RO40 RS381 RU7 RW250 SA966 SB677 SC248 SD249 SE46 SG65 SI386 SK421 SL232 SM378 SN221 SO252 SR597 SS211 ST239 ' +
  'SV503 SY963 SZ268 TC1649 TD235 TG228 TH66 TJ992 TL670 TM993 TN216 TO676 TR90 TT1868 TW886 TZ255 UA380 UG256 US1 UY598 ' +
  'UZ998 VA39 VC1784 VE58 VG1284 VI1340 VN84 VU678 WS685 XK383 YE967 ZA27 ZM260 ZW263'

export interface Country {
  /** ISO 3166. */
  readonly id: string
  /** Digits. */
  readonly code: string
}

export const COUNTRIES: readonly Country[] = CODES.split(' ').map((text) => ({
  id: text.slice(0, 2),
  code: text.slice(2),
}))

/** @param language its names are used, and its order. */
export function countriesIn(language: string): readonly (Country & { name: string })[] {
  const names = new Intl.DisplayNames(language, { type: 'region' })
  return COUNTRIES.map((country) => ({ ...country, name: names.of(country.id) ?? country.id })).sort((a, b) =>
    a.name.localeCompare(b.name, language),
  )
}

/** Some systems give tags that are none: `c`, `en-US@posix`. */
function regionOf(tag: string): string | undefined {
  try {
    return new Intl.Locale(tag).region
  } catch {
    return undefined
  }
}

/** The country of the reader's own settings. */
export function homeCountry(languages: readonly string[]): string {
  for (const tag of languages) {
    const region = regionOf(tag)
    if (region !== undefined && COUNTRIES.some(({ id }) => id === region)) return region
  }
  return 'US'
}

/**
 * E.164 of what was typed, `undefined` when it cannot be a number. A `+` or `00` at the beginning says the country itself.
 *
 * Zeros in front are for calls within a country; Italy's numbers keep theirs.
 */
export function phoneFrom(typed: string, country: Country): string | undefined {
  const text = typed.replace(/[\s().\-/]/g, '')
  const whole = /^(?:\+|00)(\d+)$/.exec(text)?.[1]
  const national = country.id === 'IT' ? text : text.replace(/^0+/, '')
  const digits = whole ?? (/^\d+$/.test(national) ? country.code + national : '')
  const rest = COUNTRIES.filter(({ code }) => digits.startsWith(code)).map(
    ({ code }) => digits.length - (code.startsWith('1') ? 1 : code.length),
  )
  const isPossible = digits.startsWith('1') ? rest.includes(10) : rest.some((length) => length >= 6)
  return isPossible && /^[1-9]\d{7,14}$/.test(digits) ? `+${digits}` : undefined
}

/** How the people of large countries group theirs. Others: groups from the right, which anybody can read. */
const GROUPS: readonly (readonly [code: string, groups: RegExp])[] = [
  ['1', /^(\d{3})(\d{3})(\d{4})$/],
  ['52', /^(1?\d{2})(\d{4})(\d{4})$/],
  ['54', /^(9?)(\d{2})(\d{4})(\d{4})$/],
  ['55', /^(\d{2})(\d{4,5})(\d{4})$/],
]

/** Stands between the parts of a number: no line may end there. */
const GAP = '\u00a0'

/** E.164 with spaces. */
export function spacedPhone(phone: string): string {
  const digits = phone.replace(/\D/g, '')
  for (const [code, groups] of GROUPS) {
    const parts = digits.startsWith(code) ? groups.exec(digits.slice(code.length)) : null
    if (parts !== null) return `+${[code, ...parts.slice(1)].filter((part) => part !== '').join(GAP)}`
  }
  const codes = COUNTRIES.map(({ code }) => code.slice(0, code.startsWith('1') ? 1 : 4))
  const code = codes.filter((each) => digits.startsWith(each)).sort((a, b) => b.length - a.length)[0] ?? ''
  const rest = digits.slice(code.length)
  const inThrees = rest.match(/^\d{1,3}(?=(?:\d{3})*\d{4}$)|\d{3}(?=(?:\d{3})*\d{4}$)|\d{4}$/g) ?? [rest]
  return `+${[code, ...inThrees].filter((part) => part !== '').join(GAP)}`
}
