// Package wire speaks the protocols of AWS's services: requests as forms with
// answers in XML (EC2's dialect and the others'), and CBOR; signatures of version 4;
// errors and request numbers in each dialect's shape.
//
// What a service says are plain Go structures, named as AWS names them, so that a
// test can hold every name against AWS's published models. A parameter that no
// structure knows is refused: a stand-in that overlooks what it was asked for would
// let a caller believe in it.
package wire
