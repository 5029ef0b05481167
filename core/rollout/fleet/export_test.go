package fleet

// Turn is what Run does once a second.
var Turn = (*Fleet).turn
