/**
 * Sequences of UAV123 and UAV20L (Mueller et al., ECCV 2016).
 *
 * @module
 */

const uav123 = `
  bike1 bike2 bike3 bird1_1 bird1_2 bird1_3 boat1 boat2 boat3 boat4 boat5 boat6 boat7 boat8
  boat9 building1 building2 building3 building4 building5 car1_1 car1_2 car1_3 car2 car3
  car4 car5 car6_1 car6_2 car6_3 car6_4 car6_5 car7 car8_1 car8_2 car9 car10 car11 car12
  car13 car14 car15 car16_1 car16_2 car17 car18 group1_1 group1_2 group1_3 group1_4 group2_1
  group2_2 group2_3 group3_1 group3_2 group3_3 group3_4 person1 person2_1 person2_2 person3
  person4_1 person4_2 person5_1 person5_2 person6 person7_1 person7_2 person8_1 person8_2
  person9 person10 person11 person12_1 person12_2 person13 person14_1 person14_2 person14_3
  person15 person16 person17_1 person17_2 person18 person19_1 person19_2 person19_3 person20
  person21 person22 person23 truck1 truck2 truck3 truck4_1 truck4_2 uav1_1 uav1_2 uav1_3
  uav2 uav3 uav4 uav5 uav6 uav7 uav8 wakeboard1 wakeboard2 wakeboard3 wakeboard4 wakeboard5
  wakeboard6 wakeboard7 wakeboard8 wakeboard9 wakeboard10 car1_s car2_s car3_s car4_s
  person1_s person2_s person3_s
`;

const uav20l = `
  bike1 bird1 car1 car3 car6 car8 car9 car16 group1 group2 group3 person2 person4 person5
  person7 person14 person17 person19 person20 uav1
`;

/** Names of the sequences of each edition. */
export const UAV_SEQUENCES = {
  UAV123: uav123.trim().split(/\s+/),
  UAV20L: uav20l.trim().split(/\s+/),
} as const satisfies Record<string, readonly string[]>;

/**
 * Videos that UAV123 cuts into several sequences, `bird1_1`, `bird1_2` and so on: first and last
 * picture of each, from 1.
 */
export const UAV123_PARTS: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  bird1: [[1, 253], [775, 1477], [1573, 2437]],
  car1: [[1, 751], [751, 1627], [1627, 2629]],
  car6: [[1, 487], [487, 1807], [1807, 2953], [2953, 3925], [3925, 4861]],
  car8: [[1, 1357], [1357, 2575]],
  car16: [[1, 415], [415, 1993]],
  group1: [[1, 1333], [1333, 2515], [2515, 3925], [3925, 4873]],
  group2: [[1, 907], [907, 1771], [1771, 2683]],
  group3: [[1, 1567], [1567, 2827], [2827, 4369], [4369, 5527]],
  person2: [[1, 1189], [1189, 2623]],
  person4: [[1, 1501], [1501, 2743]],
  person5: [[1, 877], [877, 2101]],
  person7: [[1, 1249], [1249, 2065]],
  person8: [[1, 1075], [1075, 1525]],
  person12: [[1, 601], [601, 1621]],
  person14: [[1, 847], [847, 1813], [1813, 2923]],
  person17: [[1, 1501], [1501, 2347]],
  person19: [[1, 1243], [1243, 2791], [2791, 4357]],
  truck4: [[1, 577], [577, 1261]],
  uav1: [[1, 1555], [1555, 2377], [2473, 3469]],
};
