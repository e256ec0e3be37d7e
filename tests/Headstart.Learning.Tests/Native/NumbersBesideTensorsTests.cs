using Headstart.Learning.Native;
using Mono.Cecil;
using TorchSharp;

namespace Headstart.Learning.Tests.Native;

/// <summary>
/// TorchSharp 0.107 makes a <see cref="Scalar"/> of a number that meets a tensor, also where it adds two tensors, and the collector may
/// free it while libtorch reads it. That happens once in hours and ends a run, so it is looked for in the code instead of by trying.
/// </summary>
public sealed class NumbersBesideTensorsTests
{
    private static readonly string OwnAssembly = typeof(TorchRuntime).Assembly.Location;

    [Fact]
    public void Nothing_that_is_called_of_TorchSharp_makes_a_scalar()
    {
        using var own = Read(OwnAssembly);
        var known = new Dictionary<string, bool>();
        var calls = own.GetTypes().SelectMany(type => type.Methods).SelectMany(method => Calls(method).Select(called => (method, called)))
            .ToList();

        // it does look into methods
        Assert.Contains(calls, call => call.called.FullName.Contains("TorchSharp.torch/Tensor::mm(", StringComparison.Ordinal));
        Assert.Equal([], calls.Where(call => MakesScalar(call.called, known))
            .Select(call => $"{call.method.FullName} calls {call.called.FullName}").Distinct());
    }

    [Theory]
    [InlineData("TorchSharp.torch/Tensor::op_Addition(TorchSharp.torch/Tensor,TorchSharp.torch/Tensor)", true)]
    [InlineData("TorchSharp.torch/Tensor::op_Multiply(System.Double,TorchSharp.torch/Tensor)", true)]
    [InlineData("TorchSharp.torch/Tensor::op_Multiply(TorchSharp.torch/Tensor,TorchSharp.torch/Tensor)", false)]
    [InlineData("TorchSharp.torch/Tensor::op_Subtraction(TorchSharp.torch/Tensor,TorchSharp.torch/Tensor)", false)]
    public void It_is_seen_where_it_happens(string operation, bool makes)
    {
        using var torchSharp = Read(typeof(torch).Assembly.Location);
        var method = torchSharp.GetTypes().SelectMany(type => type.Methods)
            .Single(m => m.FullName.EndsWith(operation, StringComparison.Ordinal));

        Assert.Equal(makes, MakesScalar(method, []));
    }

    private static ModuleDefinition Read(string path)
    {
        var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(Path.GetDirectoryName(OwnAssembly));
        return ModuleDefinition.ReadModule(path, new ReaderParameters { AssemblyResolver = resolver });
    }

    private static IEnumerable<MethodReference> Calls(MethodDefinition method) =>
        method.HasBody ? method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>() : [];

    private static bool MakesScalar(MethodReference called, Dictionary<string, bool> known)
    {
        var type = called.DeclaringType.FullName;
        if (type == typeof(Scalar).FullName || !type.StartsWith("TorchSharp.", StringComparison.Ordinal))
        {
            return type == typeof(Scalar).FullName;
        }

        if (known.TryAdd(called.FullName, false) && called.Resolve() is { } method)
        {
            known[called.FullName] = Calls(method).Any(next => MakesScalar(next, known));
        }

        return known[called.FullName];
    }
}
