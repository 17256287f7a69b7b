// Vietnamese names: a family name, one or two middle names, a given name. The lists are our own; frequencies of
// family names are roughly the country's.

import type { Random } from './random.ts'

export interface Name {
  readonly family: string
  /** Middle names and given name, as a form's "given name" field holds them. */
  readonly rest: string
  readonly given: string
  readonly female: boolean
}

const families: readonly (readonly [string, number])[] = [
  ['Nguyễn', 32],
  ['Trần', 11],
  ['Lê', 10],
  ['Phạm', 7],
  ['Huỳnh', 3],
  ['Hoàng', 3],
  ['Phan', 4],
  ['Vũ', 3],
  ['Võ', 3],
  ['Đặng', 3],
  ['Bùi', 3],
  ['Đỗ', 2],
  ['Hồ', 2],
  ['Ngô', 2],
  ['Dương', 2],
  ['Lý', 1],
  ['Đinh', 1],
  ['Trịnh', 1],
  ['Mai', 1],
  ['Tạ', 1],
]

const middles = {
  female: 'Thị,Thị,Thị Thu,Thị Ngọc,Thanh,Ngọc,Thu,Kim,Bích,Mỹ,Phương,Hồng,Diệu,Khánh'.split(','),
  male: 'Văn,Văn,Hữu,Đức,Minh,Quang,Quốc,Công,Đình,Xuân,Thanh,Gia,Anh,Hoàng'.split(','),
}

const givens = {
  female: `Lan Hương Hoa Mai Trang Linh Thảo Hà Ngân Nhung Yến Oanh Vy Trâm Quỳnh
    Hạnh Phượng Thủy Tuyết Diễm Như Châu Giang Hiền Loan Nga Thơ Uyên Xuân Đào`.split(/\s+/),
  male: `An Bình Cường Dũng Đạt Hải Hùng Huy Khoa Kiên Lâm Long Minh Nam Nghĩa
    Phong Phúc Quân Sơn Tài Thắng Thịnh Tiến Toàn Trí Trung Tuấn Việt Vinh Đức`.split(/\s+/),
}

export const makeName = (random: Random): Name => {
  const female = random.chance(0.56)
  const sex = female ? 'female' : 'male'
  const given = random.pick(givens[sex])
  return { family: random.weighted(families), rest: `${random.pick(middles[sex])} ${given}`, given, female }
}

/** Without diacritics, as people type on a till: `Nguyen Van An`. */
export const bare = (text: string): string =>
  text.normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll('đ', 'd').replaceAll('Đ', 'D')
