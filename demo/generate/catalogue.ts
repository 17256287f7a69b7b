// What Lotus sells and where. Prices in VND.

import type { Random } from './random.ts'

export interface Product {
  readonly sku: string
  readonly name: string
  readonly price: number
}

export interface Line extends Product {
  readonly quantity: number
}

const product = (sku: string, name: string, price: number): Product => ({ sku, name, price })

/** Made at the counter: only on receipts. */
export const drinks: readonly Product[] = [
  product('CF-01', 'Cà phê đen đá', 29_000),
  product('CF-02', 'Cà phê sữa đá', 35_000),
  product('CF-03', 'Bạc xỉu', 39_000),
  product('CF-04', 'Cà phê trứng', 49_000),
  product('CF-05', 'Cà phê muối', 45_000),
  product('TE-01', 'Trà sen vàng', 55_000),
  product('TE-02', 'Trà đào cam sả', 59_000),
  product('BN-01', 'Bánh mì que', 19_000),
  product('BN-02', 'Bánh chuối', 32_000),
]

/** On the shelf and in the web shop. */
export const goods: readonly Product[] = [
  product('HA-01', 'Hạt Robusta Đắk Lắk 500 g', 165_000),
  product('HA-02', 'Hạt Arabica Cầu Đất 500 g', 245_000),
  product('HA-03', 'Hạt Moka Lâm Đồng 250 g', 320_000),
  product('PH-01', 'Phin nhôm Lotus', 85_000),
  product('PH-02', 'Phin inox cao cấp', 220_000),
  product('LY-01', 'Ly giữ nhiệt 500 ml', 390_000),
  product('LY-02', 'Bộ ly sứ Bát Tràng', 560_000),
  product('TR-01', 'Trà sen Tây Hồ 100 g', 480_000),
  product('QU-01', 'Hộp quà Tết Lotus', 890_000),
]

/** Bought by those who spend a lot. */
export const machines: readonly Product[] = [
  product('MA-01', 'Cối xay tay', 1_250_000),
  product('MA-02', 'Máy pha espresso mini', 3_900_000),
  product('MA-03', 'Ấm rót cổ ngỗng', 950_000),
]

export const totalOf = (lines: readonly Line[]): number =>
  lines.reduce((sum, line) => sum + line.price * line.quantity, 0)

export const basket = (random: Random, channel: 'pos' | 'shop', generous: boolean): Line[] => {
  const shelf = channel === 'pos' && !random.chance(generous ? 0.5 : 0.12) ? drinks : goods
  const lines = random
    .sample(shelf, random.int(1, 3))
    .map((item) => ({ ...item, quantity: random.int(1, generous ? 3 : 2) }))
  if (generous && shelf === goods && random.chance(0.25)) lines.push({ ...random.pick(machines), quantity: 1 })
  return lines
}

export interface Store {
  readonly code: string
  readonly city: string
}

export const stores: readonly Store[] = [
  { code: 'HN-01', city: 'Hà Nội' },
  { code: 'HN-02', city: 'Hà Nội' },
  { code: 'HCM-01', city: 'TP. Hồ Chí Minh' },
  { code: 'HCM-02', city: 'TP. Hồ Chí Minh' },
  { code: 'HCM-03', city: 'TP. Hồ Chí Minh' },
  { code: 'DN-01', city: 'Đà Nẵng' },
  { code: 'HUE-01', city: 'Huế' },
  { code: 'CT-01', city: 'Cần Thơ' },
]

/** City as the person gives it -> how else it is written. */
export const citySpellings: Readonly<Record<string, readonly string[]>> = {
  'Hà Nội': ['Hà Nội', 'Ha Noi', 'HN'],
  'TP. Hồ Chí Minh': ['TP. Hồ Chí Minh', 'TP.HCM', 'Ho Chi Minh', 'Sài Gòn'],
  'Đà Nẵng': ['Đà Nẵng', 'Da Nang'],
  Huế: ['Huế', 'Hue'],
  'Cần Thơ': ['Cần Thơ', 'Can Tho'],
  'Hải Phòng': ['Hải Phòng', 'Hai Phong'],
  'Đà Lạt': ['Đà Lạt', 'Da Lat'],
}

export const cities: readonly (readonly [string, number])[] = [
  ['TP. Hồ Chí Minh', 36],
  ['Hà Nội', 30],
  ['Đà Nẵng', 12],
  ['Huế', 6],
  ['Cần Thơ', 7],
  ['Hải Phòng', 6],
  ['Đà Lạt', 3],
]

export const storeFor = (random: Random, city: string): Store => {
  const near = stores.filter((store) => store.city === city)
  return random.pick(near.length > 0 && random.chance(0.92) ? near : stores)
}
